// SPDX-License-Identifier: Apache-2.0
// A model that keeps its answers, with the official client: what it sees, and what an upstream that
// says something new each time has seen.
import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import test from 'node:test';
import OpenAI from 'openai';
import {http, serve, slow} from './server.mjs';
import {chunk, completion, event, json, until, upstream} from './upstream.mjs';

const token = 'a-token-of-a-test';

// Answers count up; a stream comes in pieces, a `wait` when it is told to.
async function open(context, cache = '{ttl_seconds: 60}') {
  const held = [];
  const up = await upstream(context, (seen, response, count) => {
    const body = JSON.parse(seen.body);
    if (body.user === 'bad') return json(response, 400, {error: {message: `no ${count}`}});
    if (body.input) {
      const data = [{object: 'embedding', index: 0, embedding: [count, 0.5]}];
      return json(response, 200, {object: 'list', data, model: 'up', usage: {prompt_tokens: 1}});
    }
    if (!body.stream) {
      const answer = () => json(response, 200, completion(`answer ${count}`));
      return body.user === 'wait' ? held.push(answer) : answer();
    }
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(event(chunk({content: 'answer'})));
    if (body.user === 'cut') {
      return response.write(event(chunk({content: 'cut'})), () => response.destroy());
    }
    const rest = event(chunk({content: ` ${count}`})) + event(chunk({}, 'stop'));
    return response.end(rest + event('[DONE]'));
  });
  const yaml = `${http}limits: {loops: 2}
admin: {listen: "127.0.0.1:0", token: {env: TOKEN}}
backends: {up: {uses: openai, settings: {base_url: "${up.url}"}}}
models: {m: {cache: ${cache}, routes: [{backend: up}]}, plain: {routes: [{backend: up}]}}
`;
  const server = await serve(context, yaml, {TOKEN: token});
  const client = (apiKey = 'key') =>
    new OpenAI({baseURL: `${server.url}/v1`, apiKey, maxRetries: 0});
  return {up, server, client, yaml, held};
}

const messages = [{role: 'user', content: 'hello'}];

// {text, cache, age, id}
async function ask(client, body = {}, headers = {}) {
  const {data, response} = await client.chat.completions
    .create({model: 'm', messages, ...body}, {headers}).withResponse();
  let text = '';
  if (body.stream) {
    for await (const part of data) text += part.choices[0]?.delta?.content ?? '';
  } else {
    text = data.choices[0].message.content;
  }
  const header = (name) => response.headers.get(name);
  return {
    text, cache: header('x-backplane-cache'), age: header('age'), id: header('x-request-id'),
    provider: header('x-backplane-provider'),
  };
}

for (const stream of [false, true]) {
  test(`${stream ? 'a stream' : 'a body'} is given again`, async (context) => {
    const {up, client} = await open(context);
    const first = await ask(client(), {stream});
    const second = await ask(client(), {stream});
    assert.deepEqual([first.text, first.cache, first.age], ['answer 1', 'miss', null]);
    assert.deepEqual([second.text, second.cache, second.age], ['answer 1', 'hit', '0']);
    assert.notEqual(first.id, second.id);
    assert.equal(second.provider, 'up');
    assert.equal((await ask(client(), {stream, seed: 2})).text, 'answer 2');
    assert.equal((await ask(client('another'), {stream})).text, 'answer 3');
    assert.equal((await ask(client('another'), {stream})).cache, 'hit');
    assert.equal((await ask(client(), {stream, model: 'plain'})).cache, null);
    assert.equal(up.requests.length, 4);
  });
}

test('a hit is the first answer byte for byte', async (context) => {
  const {server} = await open(context);
  for (const stream of [false, true]) {
    const answers = [];
    for (let i = 0; i < 2; ++i) {
      const answer = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST', headers: {'content-type': 'application/json'},
        body: JSON.stringify({model: 'm', messages, stream}),
      });
      answers.push([answer.status, answer.headers.get('content-type'), await answer.text()]);
    }
    assert.deepEqual(answers[0], answers[1]);
  }
});

test('embeddings are given again', async (context) => {
  const {up, client} = await open(context);
  const request = {model: 'm', input: 'x', encoding_format: 'float'};
  const first = await client().embeddings.create(request);
  assert.deepEqual(await client().embeddings.create(request), first);
  assert.equal(up.requests.length, 1);
});

test('cache-control of the request is heeded', async (context) => {
  const {client} = await open(context);
  const control = (value) => ask(client(), {}, {'cache-control': value});
  assert.equal((await ask(client())).text, 'answer 1');
  assert.deepEqual(await control('no-store').then(({text, cache}) => [text, cache]),
    ['answer 2', null]);
  assert.equal((await ask(client())).text, 'answer 1');
  assert.equal((await control('no-cache')).text, 'answer 3');
  assert.equal((await ask(client())).text, 'answer 3');
});

test('neither errors nor streams that break off are given again', async (context) => {
  const {up, client} = await open(context);
  for (const body of [{user: 'bad'}, {user: 'cut', stream: true}]) {
    for (let i = 0; i < 2; ++i) await assert.rejects(ask(client(), body));
  }
  assert.equal(up.requests.length, 4);
});

test('calls at the same time are one', async (context) => {
  const {up, client, held} = await open(context);
  const body = {user: 'wait', temperature: 0};
  const leaving = new AbortController();
  const gone = client().chat.completions.create({model: 'm', messages, ...body},
    {signal: leaving.signal});
  await until(() => held.length === 1, 5000 * slow);
  const asked = Array.from({length: 20}, () => ask(client(), body));
  const rejected = assert.rejects(gone);
  leaving.abort();
  await rejected;
  await until(() => held.length === 2, 5000 * slow);
  held[1]();
  const answers = await Promise.all(asked);
  assert.deepEqual(new Set(answers.map(({text}) => text)), new Set(['answer 2']));
  assert.equal(answers.filter(({cache}) => cache === 'miss').length, 1);
  assert.equal(up.requests.length, 2);
});

test('it is counted, cleared, and outlives a reload', async (context) => {
  const {client, server, yaml, up} = await open(context, '{ttl_seconds: 60, charge_percent: 100}');
  await ask(client());
  await ask(client());
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const value = (series) => Number(text.split('\n')
    .find((line) => line.startsWith(`${series} `)).slice(series.length + 1));
  assert.equal(value('backplane_cache_requests_total{model="m",result="hit"}'), 1);
  assert.equal(value('backplane_cache_requests_total{model="m",result="miss"}'), 1);
  assert.equal(value('backplane_cache_saved_tokens_total{kind="prompt",model="m"}'), 3);
  assert.equal(value('backplane_tokens_total{kind="prompt",model="m"}'), 3);
  assert.equal(value('backplane_cache_answers'), 1);
  assert.equal(value('backplane_cache_recording_bytes'), 0);
  const reload = async (next, generation) => {
    writeFileSync(server.file, next);
    server.process.kill('SIGHUP');
    await until(() => server.stdout().includes(`generation ${generation} serves`), 10000 * slow);
  };
  await reload(yaml.replace('loops: 2', 'loops: 2, drain_ms: 100'), 2);
  assert.equal((await ask(client())).cache, 'hit');
  await reload(yaml.replace('routes: [{backend: up}]', 'routes: [{backend: up, model: far}]'), 3);
  assert.equal((await ask(client())).cache, 'miss');
  const settings = 'uses: openai, settings: {';
  await reload(yaml.replace(settings, `${settings}models_refresh_seconds: 0, `), 4);
  assert.equal((await ask(client())).cache, 'miss');
  assert.equal(up.requests.filter(({method}) => method === 'POST').length, 3);
});
