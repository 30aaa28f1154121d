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
    {n: 2}, {temperature: 9}, {top_p: -1}, {tools: [{type: 'function', function: {name: 'f'}}]},
    {response_format: {type: 'json_object'}}, {stop: 7}, {messages: []}, {messages: 'x'},
    {messages: [{role: 'user', content: [{type: 'image_url', image_url: {url: 'x'}}]}]},
    {messages: [{role: 'user', content: 'word '.repeat(5000)}]},
  ];
  for (const change of wrong) {
    await assert.rejects(api.chat.completions.create({...ask, ...change}),
      (error) => error.status === 400 && error.message.length > 10,
      JSON.stringify(change).slice(0, 80));
  }
  await assert.rejects(api.embeddings.create({model: 'tiny-chat', input: 'x'}),
    (error) => error.code === 'OPERATION_NOT_SUPPORTED');
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
