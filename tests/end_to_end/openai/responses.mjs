// SPDX-License-Identifier: Apache-2.0
// responses: whole and as events with names; text, and calls of functions.
import {given, need, number, text} from './errors.mjs';
import {count_tokens, instance_of, new_id, now_s, say} from './text.mjs';

function output_of(body) {
  const tool = (body.tools ?? []).find(({type}) => type === 'function');
  const answered = Array.isArray(body.input) &&
    body.input.some(({type}) => type === 'function_call_output');
  if (tool && body.tool_choice !== 'none' && !answered) {
    const args = JSON.stringify(instance_of(tool.parameters ?? {type: 'object'}));
    const item = {id: new_id('fc_'), type: 'function_call', status: 'completed',
      call_id: new_id('call_'), name: tool.name, arguments: args};
    return {item, pieces: args.match(/.{1,8}/gs) ?? [], finish: 'stop'};
  }
  const format = body.text?.format;
  const fixed = format?.type === 'json_schema' ? JSON.stringify(instance_of(format.schema))
    : undefined;
  const {tokens, finish} = say({limit: body.max_output_tokens ?? undefined, fixed});
  const part = {type: 'output_text', text: tokens.join(''), annotations: [], logprobs: []};
  const status = finish === 'length' ? 'incomplete' : 'completed';
  const item = {id: new_id('msg_'), type: 'message', role: 'assistant', status, content: [part]};
  return {item, pieces: tokens, finish};
}

function usage_of(body, pieces) {
  const input_tokens = count_tokens([body.instructions ?? '', body.input]);
  return {
    input_tokens, output_tokens: pieces.length, total_tokens: input_tokens + pieces.length,
    input_tokens_details: {cached_tokens: 0, cache_write_tokens: 0},
    output_tokens_details: {reasoning_tokens: 0},
  };
}

// As a request may write it, and a response must.
const whole_tool = (tool) => tool.type !== 'function' ? tool
  : {...tool, parameters: tool.parameters ?? null, strict: tool.strict ?? true};

function started(body) {
  return {
    id: new_id('resp_'), object: 'response', created_at: now_s(), status: 'in_progress',
    background: false, error: null, incomplete_details: null,
    instructions: body.instructions ?? null, max_output_tokens: body.max_output_tokens ?? null,
    model: body.model, output: [], parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: {effort: null, summary: null}, service_tier: 'default',
    temperature: body.temperature ?? 1, text: body.text ?? {format: {type: 'text'}},
    tool_choice: body.tool_choice ?? 'auto', tools: (body.tools ?? []).map(whole_tool),
    top_p: body.top_p ?? 1,
    truncation: 'disabled', metadata: body.metadata ?? {},
  };
}

function ended(body, base, {item, pieces, finish}) {
  const cut = finish === 'length';
  return {
    ...base, status: cut ? 'incomplete' : 'completed', output: [item],
    incomplete_details: cut ? {reason: 'max_output_tokens'} : null,
    ...(cut ? {} : {completed_at: now_s()}), usage: usage_of(body, pieces),
  };
}

function* message_events({item, pieces}) {
  const at = {item_id: item.id, output_index: 0, content_index: 0};
  const [part] = item.content;
  yield {type: 'response.output_item.added', output_index: 0,
    item: {...item, status: 'in_progress', content: []}};
  yield {type: 'response.content_part.added', ...at, part: {...part, text: ''}};
  for (const delta of pieces) {
    yield {type: 'response.output_text.delta', ...at, delta, logprobs: []};
  }
  yield {type: 'response.output_text.done', ...at, text: part.text, logprobs: []};
  yield {type: 'response.content_part.done', ...at, part};
  yield {type: 'response.output_item.done', output_index: 0, item};
}

function* call_events({item, pieces}) {
  const at = {item_id: item.id, output_index: 0};
  yield {type: 'response.output_item.added', output_index: 0,
    item: {...item, status: 'in_progress', arguments: ''}};
  for (const delta of pieces) {
    yield {type: 'response.function_call_arguments.delta', ...at, delta};
  }
  yield {type: 'response.function_call_arguments.done', ...at, name: item.name,
    arguments: item.arguments};
  yield {type: 'response.output_item.done', output_index: 0, item};
}

function* events_of(body, base, output) {
  let sequence_number = 0;
  const number_it = (value) => ({
    event: value.type, data: {...value, sequence_number: sequence_number++},
  });
  yield number_it({type: 'response.created', response: base});
  yield number_it({type: 'response.in_progress', response: base});
  const parts = output.item.type === 'message' ? message_events(output) : call_events(output);
  for (const event of parts) yield number_it(event);
  const response = ended(body, base, output);
  yield number_it({type: `response.${response.status}`, response});
}

export function responses({body}, reply) {
  text(body, 'model');
  need(body, 'input');
  number(body, 'max_output_tokens', 1, 1 << 20, {whole: true});
  number(body, 'temperature', 0, 2);
  const output = output_of(body);
  const base = started(body);
  if (given(body.stream) && body.stream) return reply.events(events_of(body, base, output));
  return reply.json(200, ended(body, base, output));
}
