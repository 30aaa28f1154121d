// SPDX-License-Identifier: Apache-2.0
// The openai backend against a server that behaves, fails, stalls and dies.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import {http, serve, slow, streamed} from './server.mjs';
import {chunk, completion, event, json, until, upstream} from './upstream.mjs';

const client = (server) =>
  new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'client-key', maxRetries: 0});
const backend = (url, i) =>
  `  up${i}: {uses: openai, settings: {base_url: "${url}", api_key: {env: TEST_KEY}}}\n`;
const deployment = (...urls) => `${http}backends:
${urls.map(backend).join('')}models:
  fast: {routes: [${urls.map((_, i) => `{backend: up${i}, model: upstream-model}`).join(', ')}]}
`;
const env = {TEST_KEY: 'sk-gateway-secret'};
const messages = [{role: 'user', content: 'hello'}];
const second = (_, response) => json(response, 200, completion('second'));

test('the body arrives as sent but for the model, the client key stays', async (context) => {
  const up = await upstream(context, (_, response) => json(response, 200, completion('hi')));
  const server = await serve(context, deployment(up.url), env);
  const body = '{"zeta": 1, "seed": 12345678901234567890, "model": "fast",  "messages": ' +
    '[{"role":"user","content":"h\\u00e9"}], "unknown": {"deep": [1.50, null]}}';
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST', body,
    headers: {'content-type': 'application/json', authorization: 'Bearer client-key',
      'x-private': 'mine'},
  });
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).choices[0].message.content, 'hi');
  assert.equal(up.requests[0].body, body.replace('"fast"', '"upstream-model"'));
  assert.equal(up.requests[0].path, '/v1/chat/completions');
  assert.equal(up.requests[0].headers.authorization, 'Bearer sk-gateway-secret');
  assert.equal(up.requests[0].headers['x-private'], undefined);
});

test('a stream passes frame by frame, its usage is metered', async (context) => {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(': keep-alive\n\n');
    for (const content of ['a', 'b', 'ç']) {
      response.write(event(chunk({content}, null, {odd: 1})));
    }
    response.write(event(chunk({}, 'stop')));
    response.write(event({...chunk({}), choices: [], usage: completion('').usage}));
    response.end(event('[DONE]'));
  });
  const server = await serve(context, deployment(up.url), env);
  const stream = await client(server).chat.completions.create(
    {model: 'fast', messages, stream: true});
  const parts = [];
  for await (const part of stream) parts.push(part);
  assert.equal(parts.map((part) => part.choices[0]?.delta.content ?? '').join(''), 'abç');
  assert.equal(parts[0].odd, 1);
  assert.ok(parts.every((part) => part.choices.length > 0), 'the usage was not asked for');
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /backplane_tokens_total\{kind="prompt",model="fast"\} 3/);
  assert.match(metrics, /backplane_tokens_total\{kind="completion",model="fast"\} 5/);
});

test('embeddings pass', async (context) => {
  const up = await upstream(context, (_, response) => json(response, 200, {
    object: 'list', model: 'upstream-model', usage: {prompt_tokens: 1, total_tokens: 1},
    data: [{object: 'embedding', index: 0, embedding: [0.5, -0.25]}],
  }));
  const server = await serve(context, deployment(up.url), env);
  const answer = await client(server).embeddings.create(
    {model: 'fast', input: 'x', encoding_format: 'float'});
  assert.deepEqual(answer.data[0].embedding, [0.5, -0.25]);
  assert.equal(up.requests[0].path, '/v1/embeddings');
});

const retried = [
  ['500', (response) => json(response, 500, {error: {message: 'at 10.0.0.5'}})],
  ['503', (response) => json(response, 503, {error: {message: 'no'}})],
  ['429', (response) => json(response, 429, {error: {message: 'slow'}}, {'retry-after': '3'})],
  ['a cut connection', (response) => response.socket.destroy()],
];
for (const [name, answer] of retried) {
  test(`${name} moves the call to the next route`, async (context) => {
    const bad = await upstream(context, (_, response) => answer(response));
    const good = await upstream(context, second);
    const server = await serve(context, deployment(bad.url, good.url), env);
    const done = await client(server).chat.completions.create({model: 'fast', messages});
    assert.equal(done.choices[0].message.content, 'second');
    assert.equal(bad.requests.length, 1);
  });
}

test('a dead upstream moves the call on, too', async (context) => {
  const good = await upstream(context, second);
  const server = await serve(context, deployment('http://127.0.0.1:1/v1', good.url), env);
  const done = await client(server).chat.completions.create({model: 'fast', messages});
  assert.equal(done.choices[0].message.content, 'second');
});

test('a mistake of the caller is not retried', async (context) => {
  const bad = await upstream(context, (_, response) =>
    json(response, 400, {error: {message: 'temperature is too high', code: 'x'}}));
  const good = await upstream(context, second);
  const server = await serve(context, deployment(bad.url, good.url), env);
  await assert.rejects(client(server).chat.completions.create({model: 'fast', messages}),
    (error) => error.status === 400 && /temperature is too high/.test(error.message));
  assert.equal(good.requests.length, 0);
});

const told = [
  ['no upstream', null, 502, 503],
  ['a refused key',
    (response) => json(response, 401, {error: {message: 'sk-gateway-secret'}}), 502, 502],
  ['429',
    (response) => json(response, 429, {error: {message: 'x'}}, {'retry-after': '3'}), 429, 429],
];
for (const [name, answer, low, high] of told) {
  test(`with ${name} and no other route the client is told`, async (context) => {
    const up = answer && await upstream(context, (_, response) => answer(response));
    const url = up ? up.url : 'http://127.0.0.1:1/v1';
    const server = await serve(context, deployment(url), env);
    await assert.rejects(client(server).chat.completions.create({model: 'fast', messages}),
      (error) => {
        assert.ok(error.status >= low && error.status <= high, `${error.status}`);
        assert.doesNotMatch(error.message, /sk-gateway|127\.0\.0\.1/);
        if (error.status === 429) assert.equal(error.headers.get('retry-after'), '3');
        return true;
      });
    assert.doesNotMatch(server.stderr(), /sk-gateway/);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });
}

test('a stream cut in the middle is told and not retried', async (context) => {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(event(chunk({content: 'half'})), () => response.socket.destroy());
  });
  const spare = await upstream(context, (_, response) => json(response, 200, completion('no')));
  const server = await serve(context, deployment(up.url, spare.url), env);
  const {ended} = await streamed(server, {model: 'fast', messages});
  const {text, complete} = await ended;
  assert.equal(complete, false, 'an abnormal end');
  assert.match(text, /half/);
  assert.match(text, /data: \{"error":/);
  assert.doesNotMatch(text, /\[DONE\]/);
  assert.equal(spare.requests.length, 0);
});

test('a client that leaves stops the upstream within 100 ms', async (context) => {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    const timer = setInterval(() => response.write(event(chunk({content: 'x'}))), 2);
    response.on('close', () => clearInterval(timer));
  });
  const server = await serve(context, deployment(up.url), env);
  const leave = new AbortController();
  const stream = await client(server).chat.completions.create(
    {model: 'fast', messages, stream: true}, {signal: leave.signal});
  let left = 0;
  await (async () => {
    for await (const _ of stream) if (++left === 3) leave.abort();
  })().catch(() => {});
  const begun = performance.now();
  await until(() => up.closed.length === 1);
  assert.ok(performance.now() - begun < 100 * slow, 'the upstream was told late');
});

test('a client that leaves before the answer stops the upstream, too', async (context) => {
  const up = await upstream(context, () => {});
  const server = await serve(context, deployment(up.url), env);
  const leave = new AbortController();
  const call = client(server).chat.completions.create(
    {model: 'fast', messages}, {signal: leave.signal});
  call.catch(() => {});
  await until(() => up.requests.length === 1);
  leave.abort();
  const begun = performance.now();
  await until(() => up.closed.length === 1);
  assert.ok(performance.now() - begun < 100 * slow, 'the upstream was told late');
});
