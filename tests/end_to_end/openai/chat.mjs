// SPDX-License-Identifier: Apache-2.0
// chat.completions: whole and streamed, tools, n, logprobs, structured output, reasoning.
import {given, need, number, one_of, refuse, text} from './errors.mjs';
import {count_tokens, instance_of, new_id, now_s, say, tokens_of} from './text.mjs';

const kRoles = ['developer', 'system', 'user', 'assistant', 'tool', 'function'];
const kReasoning = 'The request is plain.';

function check_messages(body) {
  const messages = need(body, 'messages');
  if (!Array.isArray(messages) || messages.length === 0) {
    refuse("'messages' must be a list that is not empty.", 'messages', 'invalid_value');
  }
  messages.forEach((message, i) => {
    if (!kRoles.includes(message?.role)) {
      refuse(`messages[${i}].role is none of ${kRoles.join(', ')}.`, `messages[${i}].role`);
    }
  });
}

function check_tools(body) {
  const wanted = body.tool_choice?.function?.name;
  const names = (body.tools ?? []).map((tool) => tool.function?.name);
  if (wanted !== undefined && !names.includes(wanted)) {
    refuse(`'tool_choice' names ${wanted}, which is not in 'tools'.`, 'tool_choice');
  }
}

export function stops_of(body) {
  const stops = given(body.stop) ? [body.stop].flat() : [];
  if (stops.length > 4) refuse("'stop' has more than 4 texts.", 'stop', 'array_above_max_length');
  return stops;
}

export function check_sampling(body) {
  number(body, 'temperature', 0, 2);
  number(body, 'top_p', 0, 1);
  number(body, 'frequency_penalty', -2, 2);
  number(body, 'presence_penalty', -2, 2);
  number(body, 'n', 1, 128, {whole: true});
  if (given(body.stream_options) && body.stream !== true) {
    refuse("'stream_options' is only for streams.", 'stream_options');
  }
}

function check(body) {
  text(body, 'model');
  check_messages(body);
  check_sampling(body);
  check_tools(body);
  number(body, 'top_logprobs', 0, 20, {whole: true});
  number(body, 'max_tokens', 1, 1 << 20, {whole: true});
  number(body, 'max_completion_tokens', 1, 1 << 20, {whole: true});
  one_of(body, 'reasoning_effort', ['none', 'minimal', 'low', 'medium', 'high', 'xhigh']);
}

// The tool that will be called, or none: a tool's result is answered in words.
function called_tool(body) {
  const choice = body.tool_choice ?? 'auto';
  if (!body.tools?.length || choice === 'none') return null;
  const wanted = choice.function?.name;
  if (wanted) return body.tools.find((tool) => tool.function?.name === wanted);
  if (choice === 'auto' && body.messages.at(-1).role === 'tool') return null;
  return body.tools[0];
}

function fixed_text(format) {
  if (format?.type === 'json_object') return '{"ok": true}';
  if (format?.type === 'json_schema') return JSON.stringify(instance_of(format.json_schema.schema));
  return undefined;
}

function choice_of(body, index) {
  const tool = called_tool(body);
  if (tool) {
    const args = JSON.stringify(instance_of(tool.function.parameters ?? {type: 'object'}));
    return {
      index, finish: body.tool_choice?.function ? 'stop' : 'tool_calls', tokens: [], cost: 8,
      call: {id: new_id('call_'), type: 'function',
        function: {name: tool.function.name, arguments: args}},
    };
  }
  const said = say({
    first: index + Math.abs(body.seed ?? 0) % 7, stops: stops_of(body),
    limit: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    fixed: fixed_text(body.response_format),
  });
  return {index, ...said, cost: said.tokens.length, call: null};
}

function logprob_of(token, top) {
  const one = (word, logprob) => ({token: word, logprob, bytes: [...Buffer.from(word)]});
  const others = Array.from({length: top}, (_, i) => one(token + '!'.repeat(i), -0.5 - i));
  return {...one(token, -0.5), top_logprobs: others};
}

function logprobs_of(body, tokens) {
  if (body.logprobs !== true) return null;
  const content = tokens.map((token) => logprob_of(token, body.top_logprobs ?? 0));
  return {content, refusal: null};
}

const thinks = (body) => /reason/.test(body.model);

function usage_of(body, choices) {
  const prompt = count_tokens(body.messages);
  const reasoning = thinks(body) ? tokens_of(kReasoning).length : 0;
  const completion = choices.reduce((sum, choice) => sum + choice.cost, reasoning);
  return {
    prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion,
    prompt_tokens_details: {cached_tokens: 0, audio_tokens: 0},
    completion_tokens_details: {reasoning_tokens: reasoning, audio_tokens: 0,
      accepted_prediction_tokens: 0, rejected_prediction_tokens: 0},
  };
}

function message_of(body, choice) {
  const message = {role: 'assistant', content: choice.call ? null : choice.tokens.join(''),
    refusal: null, annotations: []};
  if (choice.call) message.tool_calls = [choice.call];
  if (thinks(body)) message.reasoning_content = kReasoning;
  return message;
}

function* deltas_of(body, choice) {
  yield {role: 'assistant', content: choice.call ? null : '', refusal: null};
  if (thinks(body)) {
    for (const token of tokens_of(kReasoning)) yield {reasoning_content: token};
  }
  if (!choice.call) {
    for (const token of choice.tokens) yield {content: token};
    return;
  }
  const {arguments: args, name} = choice.call.function;
  yield {tool_calls: [{index: 0, ...choice.call, function: {name, arguments: ''}}]};
  for (const piece of args.match(/.{1,8}/gs) ?? []) {
    yield {tool_calls: [{index: 0, function: {arguments: piece}}]};
  }
}

function* chunks_of(body, base, choices) {
  const with_usage = body.stream_options?.include_usage === true;
  const chunk = (part) => ({...base, choices: part, ...(with_usage ? {usage: null} : {})});
  for (const choice of choices) {
    const {index} = choice;
    for (const delta of deltas_of(body, choice)) {
      const logprobs = delta.content ? logprobs_of(body, [delta.content]) : null;
      yield chunk([{index, delta, logprobs, finish_reason: null}]);
    }
    yield chunk([{index, delta: {}, logprobs: null, finish_reason: choice.finish}]);
  }
  if (with_usage) yield {...base, choices: [], usage: usage_of(body, choices)};
  yield '[DONE]';
}

export function chat({body}, reply) {
  check(body);
  const choices = Array.from({length: body.n ?? 1}, (_, index) => choice_of(body, index));
  const base = {
    id: new_id('chatcmpl-'), object: 'chat.completion', created: now_s(), model: body.model,
    service_tier: 'default', system_fingerprint: 'fp_upstream',
  };
  if (body.stream === true) {
    return reply.events(chunks_of(body, {...base, object: 'chat.completion.chunk'}, choices));
  }
  return reply.json(200, {
    ...base, usage: usage_of(body, choices),
    choices: choices.map((choice) => ({
      index: choice.index, message: message_of(body, choice), finish_reason: choice.finish,
      logprobs: logprobs_of(body, choice.tokens),
    })),
  });
}
