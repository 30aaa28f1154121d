// SPDX-License-Identifier: Apache-2.0
// completions, the older kind: a prompt or several, whole and streamed.
import {given, need, number, text} from './errors.mjs';
import {check_sampling, stops_of} from './chat.mjs';
import {count_tokens, new_id, now_s, say} from './text.mjs';

function prompts_of(body) {
  const prompt = need(body, 'prompt');
  if (!Array.isArray(prompt) || typeof prompt[0] === 'number') return [prompt];
  return prompt;
}

function logprobs_of(body, tokens) {
  if (!given(body.logprobs)) return null;
  let offset = 0;
  return {
    tokens, token_logprobs: tokens.map(() => -0.5),
    top_logprobs: tokens.map((token) => ({[token]: -0.5})),
    text_offset: tokens.map((token) => (offset += token.length) - token.length),
  };
}

function choices_of(body) {
  const copies = body.n ?? 1;
  return prompts_of(body).flatMap((prompt, at) => Array.from({length: copies}, (_, copy) => {
    const said = say({first: at + copy, limit: body.max_tokens ?? 16, stops: stops_of(body)});
    const echo = body.echo === true && typeof prompt === 'string' ? [prompt] : [];
    return {index: at * copies + copy, finish: said.finish, tokens: [...echo, ...said.tokens]};
  }));
}

function usage_of(body, choices) {
  const prompt_tokens = count_tokens(body.prompt);
  const completion_tokens = choices.reduce((sum, {tokens}) => sum + tokens.length, 0);
  return {prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens};
}

function* chunks_of(body, base, choices) {
  for (const {index, tokens, finish} of choices) {
    for (const [at, token] of tokens.entries()) {
      const finish_reason = at === tokens.length - 1 ? finish : null;
      const choice = {index, text: token, finish_reason, logprobs: logprobs_of(body, [token])};
      yield {...base, choices: [choice]};
    }
  }
  if (body.stream_options?.include_usage === true) {
    yield {...base, choices: [], usage: usage_of(body, choices)};
  }
  yield '[DONE]';
}

export function completions({body}, reply) {
  text(body, 'model');
  check_sampling(body);
  number(body, 'max_tokens', 1, 1 << 20, {whole: true});
  const choices = choices_of(body);
  const {model} = body;
  const base = {id: new_id('cmpl-'), object: 'text_completion', created: now_s(), model};
  if (body.stream === true) return reply.events(chunks_of(body, base, choices));
  return reply.json(200, {
    ...base, usage: usage_of(body, choices),
    choices: choices.map(({index, tokens, finish}) => ({
      index, text: tokens.join(''), finish_reason: finish, logprobs: logprobs_of(body, tokens),
    })),
  });
}
