// SPDX-License-Identifier: Apache-2.0
// The bundled model through the whole path.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import {http, model, run, serve, slow, source} from './server.mjs';
import {until} from './upstream.mjs';

const deployment = `${http}backends: {local: {uses: local, settings: {model: "${model}"}}}
models: {tiny-chat: {routes: [{backend: local}]}}
`;
const client = (server) =>
  new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 60000 * slow});
const fox = [{role: 'user', content: 'Tell me a story about a fox'}];
const ask = {model: 'tiny-chat', messages: fox, temperature: 0};

test('the bundled model tells a story, stops and counts its tokens', async (context) => {
  const server = await serve(context, deployment);
  const stream = await client(server).chat.completions.create(
    {...ask, stream: true, stream_options: {include_usage: true}});
  let text = '';
  let last;
  let reason;
  for await (const part of stream) {
    text += part.choices[0]?.delta.content ?? '';
    reason = part.choices[0]?.finish_reason ?? reason;
    last = part;
  }
  assert.match(text, /fox/i);
  assert.ok(text.split(' ').length > 20, text);
  assert.equal(reason, 'stop');
  assert.doesNotMatch(text, /<\|/);
  assert.ok(last.usage.completion_tokens > 20);
  assert.ok(last.usage.prompt_tokens > 3);
});

test('the same seed gives the same text, alone and in company', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const seeded = {...ask, temperature: 0.9, top_p: 0.95, seed: 7, max_tokens: 40};
  const text = async (request) =>
    (await api.chat.completions.create(request)).choices[0].message.content;
  const alone = await text(seeded);
  const company = await Promise.all([
    text(seeded), text({...ask, max_tokens: 50}), text({...seeded, seed: 8}), text(seeded)]);
  assert.equal(company[0], alone);
  assert.equal(company[3], alone);
  assert.notEqual(company[2], alone);
});

test('max tokens, stop strings and their reasons', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const short = await api.chat.completions.create({...ask, max_tokens: 5});
  assert.equal(short.choices[0].finish_reason, 'length');
  assert.equal(short.usage.completion_tokens, 5);
  const whole = (await api.chat.completions.create(ask)).choices[0].message.content;
  const word = whole.split(' ')[6];
  const cut = await api.chat.completions.create({...ask, stop: [word]});
  assert.equal(cut.choices[0].finish_reason, 'stop');
  assert.equal(cut.choices[0].message.content, whole.slice(0, whole.indexOf(word)));
});

test('a text completion goes on from its prompt', async (context) => {
  const server = await serve(context, deployment);
  const done = await client(server).completions.create(
    {model: 'tiny-chat', prompt: 'Once upon a time', max_tokens: 8, temperature: 0});
  assert.ok(done.choices[0].text.length > 0);
});

test('what it cannot do is refused, not ignored', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const wrong = [
    {n: 1000}, {temperature: 9}, {top_p: -1}, {tools: [{type: 'function', function: {}}]},
    {response_format: {type: 'xml'}}, {stop: 7}, {messages: []}, {messages: 'x'},
    {logit_bias: {99999999: 1}}, {top_logprobs: 3}, {stop_token_ids: [99999999]},
    {tool_choice: 'required'}, {functions: [{name: 'f'}]}, {max_completion_tokens: 100000},
    {messages: [{role: 'user', content: [{type: 'image_url', image_url: {url: 'x'}}]}]},
    {messages: [{role: 'user', content: 'word '.repeat(5000)}]},
  ];
  for (const change of wrong) {
    await assert.rejects(api.chat.completions.create({...ask, ...change}),
      (error) => error.status === 400 && error.message.length > 10,
      JSON.stringify(change).slice(0, 80));
  }
  await assert.rejects(api.moderations.create({model: 'tiny-chat', input: 'x'}),
    (error) => error.code === 'OPERATION_NOT_SUPPORTED');
});

test('a prompt that is too long is told so in the words that clients know', async (context) => {
  const server = await serve(context, deployment);
  const long = [{role: 'user', content: 'word '.repeat(5000)}];
  await assert.rejects(client(server).chat.completions.create({...ask, messages: long}),
    (error) => error.status === 400 && error.code === 'context_length_exceeded');
});

test('choices share a prompt and differ by their seeds, alike each time', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const request = {...ask, temperature: 1, n: 3, seed: 5, max_tokens: 20};
  const texts = async () => {
    const answer = await api.chat.completions.create(request);
    assert.deepEqual(answer.choices.map(({index}) => index), [0, 1, 2]);
    assert.equal(answer.usage.completion_tokens <= 60, true);
    return answer.choices.map(({message}) => message.content);
  };
  const first = await texts();
  assert.equal(new Set(first).size, 3);
  assert.deepEqual(await texts(), first);
  const one = await api.chat.completions.create({...request, n: 1});
  assert.equal(one.choices[0].message.content, first[0]);
  const streamed = ['', '', ''];
  const reasons = [];
  const stream = await api.chat.completions.create({...request, stream: true});
  for await (const {choices: [choice]} of stream) {
    streamed[choice.index] += choice.delta.content ?? '';
    if (choice.finish_reason) reasons.push(choice.index);
  }
  assert.deepEqual(streamed, first);
  assert.deepEqual(reasons.sort(), [0, 1, 2]);
});

test('logprobs tell of every token, whole and streamed', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const request = {...ask, max_tokens: 12, logprobs: true, top_logprobs: 3};
  const [choice] = (await api.chat.completions.create(request)).choices;
  const entries = choice.logprobs.content;
  assert.equal(entries.length, 12);
  assert.equal(entries.map(({token}) => token).join('').trim(), choice.message.content.trim());
  for (const {token, logprob, bytes, top_logprobs: top} of entries) {
    assert.equal(Buffer.from(bytes).toString(), token);
    assert.equal(top.length, 3);
    assert.equal(top[0].token, token, 'greedy picks the likeliest');
    assert.ok(logprob <= 0 && logprob === top[0].logprob && top[1].logprob <= logprob);
  }
  const streamed = [];
  for await (const part of await api.chat.completions.create({...request, stream: true})) {
    streamed.push(...part.choices[0].logprobs?.content ?? []);
  }
  assert.deepEqual(streamed, entries);
  const text = await api.completions.create(
    {model: 'tiny-chat', prompt: 'Once upon a time', max_tokens: 6, temperature: 0, logprobs: 2});
  const {tokens, token_logprobs, top_logprobs, text_offset} = text.choices[0].logprobs;
  assert.equal(tokens.join(''), text.choices[0].text);
  assert.equal(token_logprobs.length, 6);
  assert.deepEqual(text_offset, tokens.map((_, i) => tokens.slice(0, i).join('').length));
  assert.ok(top_logprobs.every((top, i) => tokens[i] in top));
});

test('biases, penalties and stop tokens change what is said', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const forced = await api.chat.completions.create(
    {...ask, max_tokens: 4, logprobs: true, logit_bias: {300: 100}});
  const tokens = forced.choices[0].logprobs.content.map(({token}) => token);
  assert.equal(new Set(tokens).size, 1, `${tokens}`);
  const stopped = await api.chat.completions.create(
    {...ask, max_tokens: 4, stop_token_ids: [300], logit_bias: {300: 100}});
  assert.equal(stopped.choices[0].message.content, '');
  assert.equal(stopped.choices[0].finish_reason, 'stop');
  const plain = await api.chat.completions.create({...ask, max_tokens: 60});
  const penalized = await api.chat.completions.create(
    {...ask, max_tokens: 60, frequency_penalty: 2, presence_penalty: 2});
  assert.notEqual(penalized.choices[0].message.content, plain.choices[0].message.content);
  const endless = await api.chat.completions.create({...ask, max_tokens: 300, ignore_eos: true});
  assert.equal(endless.usage.completion_tokens, 300);
});

test('a schema is kept to, and one that cannot be is refused by its keyword', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const schema = {type: 'object', additionalProperties: false, required: ['name', 'age', 'kind'],
    properties: {name: {type: 'string', maxLength: 12}, age: {type: 'integer', maximum: 99},
      kind: {enum: ['fox', 'owl']}}};
  const form = (own) => ({type: 'json_schema', json_schema: {name: 'animal', schema: own}});
  for (const seed of [1, 2, 3]) {
    const answer = await api.chat.completions.create(
      {...ask, temperature: 1, seed, max_tokens: 200, response_format: form(schema)});
    const animal = JSON.parse(answer.choices[0].message.content);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.deepEqual(Object.keys(animal).sort(), ['age', 'kind', 'name']);
    assert.ok(['fox', 'owl'].includes(animal.kind) && Number.isInteger(animal.age));
  }
  await assert.rejects(api.chat.completions.create({...ask, response_format:
    form({type: 'string', pattern: '(?<=a)b'})}),
    (error) => error.status === 400 && /pattern/.test(error.message));
});

const weather = {type: 'function', function: {name: 'get_weather', description: 'The weather.',
  parameters: {type: 'object', additionalProperties: false, required: ['city'],
    properties: {city: {type: 'string', maxLength: 20}}}}};

test('a tool call that is required comes, whole and in pieces', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const request = {...ask, tools: [weather], tool_choice: 'required', max_tokens: 200, seed: 3};
  const [choice] = (await api.chat.completions.create(request)).choices;
  assert.equal(choice.finish_reason, 'tool_calls');
  assert.equal(choice.message.content, null);
  const [call] = choice.message.tool_calls;
  assert.equal(call.function.name, 'get_weather');
  assert.match(call.id, /^call_[0-9A-Za-z]{24}$/);
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
  const pieces = [];
  const runner = api.chat.completions.stream(request);
  for await (const {choices: [{delta}]} of runner) {
    for (const {function: {arguments: piece}} of delta.tool_calls ?? []) pieces.push(piece);
  }
  assert.ok(pieces.length > 2, 'arguments stream');
  assert.equal(pieces.join(''), call.function.arguments);
  const final = (await runner.finalChatCompletion()).choices[0];
  assert.equal(final.message.tool_calls[0].function.arguments, call.function.arguments);
  const back = await api.chat.completions.create({...ask, max_tokens: 5, tools: [weather],
    messages: [...fox, choice.message, {role: 'tool', tool_call_id: call.id, content: 'sunny'}]});
  assert.ok(back.choices[0].message);
});

test('a list of prompts gets a list of choices', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const prompts = ['Once upon a time', 'The fox'];
  const both = await api.completions.create(
    {model: 'tiny-chat', prompt: prompts, max_tokens: 6, temperature: 0});
  for (const [i, prompt] of prompts.entries()) {
    const alone = await api.completions.create(
      {model: 'tiny-chat', prompt, max_tokens: 6, temperature: 0});
    assert.equal(both.choices[i].text, alone.choices[0].text);
  }
});

test('a client that leaves frees its place', async (context) => {
  const server = await serve(context, deployment);
  const leave = new AbortController();
  const stream = await client(server).chat.completions.create(
    {...ask, stream: true}, {signal: leave.signal});
  await (async () => { for await (const _ of stream) leave.abort(); })().catch(() => {});
  await until(async () => true);
  for (;;) {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    if (/outcome="client_gone"\} 1/.test(metrics) && /backplane_live_calls 0/.test(metrics)) break;
  }
});

test('twenty streams at once all end', async (context) => {
  const server = await serve(context, deployment);
  const api = client(server);
  const all = await Promise.all(Array.from({length: 20}, (_, i) => api.chat.completions.create(
    {...ask, temperature: 0.8, seed: i, max_tokens: 30})));
  assert.ok(all.every((answer) => answer.choices[0].message.content.length > 0));
});

test('chat --serve answers once', () => {
  const file = `${source}configs/quickstart.yaml`;
  const {status, stdout, stderr} =
    run(['chat', '--serve', file, '--once', 'Tell me a story about a fox']);
  if (/in use/.test(stderr)) return;  // somebody's quickstart is up on this machine
  assert.equal(status, 0, stderr);
  assert.match(stdout, /fox/i);
});
