// SPDX-License-Identifier: Apache-2.0
// OpenAI's whole surface through the openai backend: with the official client, and byte by byte.
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {connect} from 'node:net';
import test from 'node:test';
import {crc32} from 'node:zlib';
import OpenAI, {toFile} from 'openai';
import {open_upstream} from './openai_upstream.mjs';
import {http, serve, slow} from './server.mjs';
import {event, until, upstream} from './upstream.mjs';

const env = {TEST_KEY: 'sk-gateway-secret'};
const deployment = (url, limits = '') => `${http}backends:
  up: {uses: openai, settings: {base_url: "${url}", api_key: {env: TEST_KEY}}}
  echo: {uses: echo}
models:
  fast: {routes: [{backend: up, model: upstream-model}]}
  echo: {routes: [{backend: echo}]}
${limits}`;
const client_of = (url) => new OpenAI({baseURL: url, apiKey: 'client-key', maxRetries: 0});

// The server with the full upstream behind it, a client of each.
async function open(context, limits) {
  const up = await open_upstream({key: env.TEST_KEY});
  context.after(up.close);
  const server = await serve(context, deployment(up.url, limits), env);
  const direct = new OpenAI({baseURL: up.url, apiKey: env.TEST_KEY, maxRetries: 0});
  return {up, server, client: client_of(`${server.url}/v1`), direct};
}

async function parts_of(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const metered = async (server, kind) => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = new RegExp(`^backplane_tokens_total\\{kind="${kind}",model="fast"\\} (\\d+)`, 'm');
  return Number(line.exec(text)[1]);
};

// What the model is called may differ, and what is new in every answer.
const plain = (value) => JSON.parse(JSON.stringify(value), (key, inner) =>
  (/^(id|item_id|created|(created|completed)_at|created_unix|model|request_id)$/.test(key)
    ? 0 : inner));

const sound = Buffer.alloc(3 << 20, '\r\n--sound\0');
const file = (content = sound) => toFile(content, 'sound.wav', {type: 'audio/wav'});

const same = {
  'responses': (client, model) => client.responses.create({model, input: 'hello there'}),
  'moderations': (client, model) => client.moderations.create({model, input: 'hello'}),
  'embeddings': (client, model) =>
    client.embeddings.create({model, input: 'hello', encoding_format: 'float'}),
  'rerank': (client, model) =>
    client.post('/rerank', {body: {model, query: 'a', documents: ['a', 'b']}}),
  'images': (client, model) => client.images.generate({model, prompt: 'a cat'}),
  'an edited image': async (client, model) =>
    client.images.edit({model, prompt: 'a cat', image: await toFile(sound, 'a.png')}),
  'a varied image': async (client, model) =>
    client.images.createVariation({model, image: await toFile(sound, 'a.png')}),
  'a transcription': async (client, model) =>
    client.audio.transcriptions.create({model, file: await file()}),
  'a transcription as text': async (client, model) =>
    client.audio.transcriptions.create({model, file: await file(), response_format: 'text'}),
  'subtitles': async (client, model) =>
    client.audio.transcriptions.create({model, file: await file(), response_format: 'srt'}),
  'a translation': async (client, model) =>
    client.audio.translations.create({model, file: await file()}),
};

for (const [name, call] of Object.entries(same)) {
  test(`${name}: the answer is the upstream's`, async (context) => {
    const {client, direct} = await open(context);
    const through = await call(client, 'fast');
    assert.deepEqual(plain(through), plain(await call(direct, 'upstream-model')));
  });
}

const streams = {
  'responses': (client, model) =>
    client.responses.create({model, input: 'hello there', stream: true}),
  'images': (client, model) =>
    client.images.generate({model, prompt: 'a cat', stream: true, partial_images: 1}),
  'transcriptions': async (client, model) =>
    client.audio.transcriptions.create({model, file: await file(), stream: true}),
};

for (const [name, call] of Object.entries(streams)) {
  test(`a stream of ${name} has the upstream's events, and its usage is metered`,
    async (context) => {
      const {client, direct, server} = await open(context);
      const through = await parts_of(await call(client, 'fast'));
      assert.deepEqual(plain(through), plain(await parts_of(await call(direct, 'upstream-model'))));
      const last = through.at(-1);
      const usage = last.usage ?? last.response.usage;
      assert.equal(await metered(server, 'prompt'), usage.input_tokens);
      assert.equal(await metered(server, 'completion'), usage.output_tokens);
    });
}

test('a stream keeps the names of its events and its end', async (context) => {
  const {server, up} = await open(context);
  const ask = async (url, model, key) => {
    const answer = await fetch(`${url}/responses`, {
      method: 'POST', body: JSON.stringify({model, input: 'hello', stream: true}),
      headers: {'content-type': 'application/json', authorization: `Bearer ${key}`},
    });
    assert.equal(answer.headers.get('content-type').split(';')[0], 'text/event-stream');
    const lines = (await answer.text()).split('\n');
    return [lines.filter((line) => line.startsWith('event: ')), lines.includes('data: [DONE]')];
  };
  const through = await ask(`${server.url}/v1`, 'fast', 'x');
  assert.ok(through[0].includes('event: response.completed'));
  assert.deepEqual(through, await ask(up.url, 'upstream-model', env.TEST_KEY));
});

test('speech: bytes of their type, or events', async (context) => {
  const {client, direct} = await open(context);
  const ask = (from, model, extra) =>
    from.audio.speech.create({model, input: 'hello there', voice: 'alloy', ...extra});
  for (const response_format of ['mp3', 'wav']) {
    const through = await ask(client, 'fast', {response_format});
    const own = await ask(direct, 'upstream-model', {response_format});
    assert.equal(through.headers.get('content-type'), own.headers.get('content-type'));
    assert.deepEqual(Buffer.from(await through.arrayBuffer()),
      Buffer.from(await own.arrayBuffer()));
  }
  const events = await ask(client, 'fast', {stream_format: 'sse'});
  assert.equal(events.headers.get('content-type').split(';')[0], 'text/event-stream');
  assert.match(await events.text(), /"speech\.audio\.done"/);
});

const boundary = 'XX';
const field = (name, value) =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file_head =
  '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
const form_headers = {'content-type': `multipart/form-data; boundary=${boundary}`};
const form_end = '\r\n--XX--\r\n';
const post_form = (server, body, path = 'audio/transcriptions') =>
  fetch(`${server.url}/v1/${path}`, {
    method: 'POST', body, duplex: 'half', headers: {...form_headers, cookie: 'a=b',
      'idempotency-key': 'k', 'openai-organization': 'o', 'x-forwarded-for': '10.0.0.1'}});

test('a form arrives as sent but for the model, and so does nothing of its headers',
  async (context) => {
    const {server, up} = await open(context);
    const before = Buffer.from(field('language', 'en') + file_head);
    const after = (model) => Buffer.from(`\r\n${field('model', model)}`.replace(/\r\n$/, form_end));
    const answer = await post_form(server, Buffer.concat([before, sound, after('fast')]));
    assert.equal(answer.status, 200, await answer.clone().text());
    const got = up.requests[0];
    assert.ok(got.raw.equals(Buffer.concat([before, sound, after('upstream-model')])));
    assert.equal(got.headers['content-length'], `${got.raw.length}`);
    assert.deepEqual(Object.keys(got.headers).sort(), ['accept', 'accept-encoding', 'authorization',
      'content-length', 'content-type', 'host', 'user-agent', 'x-request-id']);
    assert.equal(got.headers.authorization, 'Bearer sk-gateway-secret');
  });

test('only what stands before the model is held', async (context) => {
  const {server, up} = await open(context, 'limits: {max_body_bytes: 65536}\n');
  const model_first = Buffer.concat([Buffer.from(field('model', 'fast') + file_head), sound,
    Buffer.from(form_end)]);
  assert.equal((await post_form(server, model_first)).status, 200);
  assert.equal(up.requests.length, 1);
  const file_first = Buffer.concat([Buffer.from(file_head), sound,
    Buffer.from(`\r\n${field('model', 'fast')}--XX--\r\n`)]);
  const refused = await post_form(server, file_first);
  assert.equal(refused.status, 413);
  assert.match((await refused.json()).error.message, /send the field model before the file/);
  assert.equal(up.requests.length, 1);
});

test('a form of unknown length arrives whole', async (context) => {
  const {server, up} = await open(context);
  const pieces = [field('model', 'fast'), file_head, sound, form_end].map((piece) =>
    Buffer.from(piece));
  const body = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      return piece ? controller.enqueue(piece) : controller.close();
    },
  });
  const answer = await post_form(server, body);
  assert.equal(answer.status, 200, await answer.clone().text());
  assert.match((await answer.json()).text, new RegExp(`heard ${sound.length} bytes`));
  assert.equal(up.requests[0].headers['transfer-encoding'], 'chunked');
});

const bad_forms = [
  ['no model', field('a', 'b') + '--XX--\r\n', 400, 'MISSING_REQUIRED_PARAMETER'],
  ['two models', field('model', 'fast') + field('model', 'fast') + '--XX--\r\n', 400,
    'INVALID_REQUEST'],
  ['an unknown model', `${field('model', 'none')}--XX--\r\n`, 404, 'MODEL_NOT_FOUND'],
  ['no end', field('model', 'fast') + field('a', 'b'), 400, 'INVALID_REQUEST'],
  ['no disposition', '--XX\r\nX: y\r\n\r\n\r\n--XX--\r\n', 400, 'INVALID_REQUEST'],
  ['an operation that nobody offers', `${field('model', 'echo')}--XX--\r\n`, 404,
    'OPERATION_NOT_SUPPORTED', 'audio/translations'],
];
for (const [name, body, status, code, path] of bad_forms) {
  test(`a form with ${name} is refused`, async (context) => {
    const {server} = await open(context);
    const answer = await post_form(server, body, path);
    assert.equal(answer.status, status);
    assert.equal((await answer.json()).error.code, code);
  });
}

test('an operation that no backend of the model offers is named', async (context) => {
  const {client} = await open(context);
  await assert.rejects(client.moderations.create({model: 'echo', input: 'x'}), (error) => {
    assert.equal(error.status, 404);
    assert.match(error.message, /"echo" does not offer the operation "moderations"/);
    return true;
  });
});

test('echo hears every byte of a form', async (context) => {
  const {server} = await open(context);
  const body = Buffer.concat([Buffer.from(field('model', 'echo') + file_head), sound,
    Buffer.from(form_end)]);
  const sum = crc32(body).toString(16).padStart(8, '0');
  const answer = await post_form(server, body);
  assert.equal((await answer.json()).text, `a body of ${body.length} bytes, CRC-32 ${sum}`);
});

test('one event that is not JSON passes, and the stream goes on', async (context) => {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.end(event('{"choices":[{"index":0,"delta":{"content":"a"}}]}') + event('oops') +
      event('{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}') + event('[DONE]'));
  });
  const server = await serve(context, deployment(up.url), env);
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST', headers: {'content-type': 'application/json'},
    body: '{"model":"fast","stream":true,"messages":[{"role":"user","content":"x"}]}'});
  const text = await answer.text();
  assert.ok(text.includes('data: oops\n\n'));
  assert.ok(text.endsWith('data: [DONE]\n\n'));
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /backplane_malformed_events_total\{backend="up"\} 1/);
});

// An upstream that takes what comes and tells when its client has gone.
async function watching_upstream(context, answer) {
  const seen = {bytes: 0, closed: 0};
  const server = createServer((request, response) => {
    request.on('data', (data) => { seen.bytes += data.length; });
    request.on('error', () => {});
    response.on('close', () => { seen.closed = performance.now(); });
    answer(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {seen, url: `http://127.0.0.1:${server.address().port}/v1`};
}

test('a client that leaves in the middle of its upload stops the upstream', async (context) => {
  const {seen, url} = await watching_upstream(context, () => {});
  const server = await serve(context, deployment(url), env);
  const beginning = field('model', 'fast') + file_head + 'x'.repeat(100000);
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n' +
    `Content-Type: ${form_headers['content-type']}\r\n\r\n${beginning}`);
  await until(() => seen.bytes >= 100000, 10000 * slow);
  const left = performance.now();
  socket.destroy();
  await until(() => seen.closed !== 0, 10000 * slow);
  context.diagnostic(`the upstream was told after ${(seen.closed - left).toFixed(1)} ms`);
});

test('a client that leaves in the middle of speech stops the upstream', async (context) => {
  let wrote = 0;
  const {seen, url} = await watching_upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'audio/mpeg'});
    const go_on = () => {
      if (response.destroyed) return;
      wrote += 1;
      response.write('sound', () => setTimeout(go_on, 5));
    };
    go_on();
  });
  const server = await serve(context, deployment(url), env);
  const leaving = new AbortController();
  const answer = await fetch(`${server.url}/v1/audio/speech`, {
    method: 'POST', headers: {'content-type': 'application/json'}, signal: leaving.signal,
    body: '{"model":"fast","input":"x","voice":"alloy"}'});
  assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
  await answer.body.getReader().read();
  assert.ok(wrote > 0);
  const left = performance.now();
  leaving.abort();
  await until(() => seen.closed !== 0, 10000 * slow);
  context.diagnostic(`the upstream was told after ${(seen.closed - left).toFixed(1)} ms`);
});

test('speech that is cut does not look whole', async (context) => {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'audio/mpeg'});
    response.write('sound');
    response.write('more', () => setTimeout(() => response.socket.destroy(), 20));
  });
  const server = await serve(context, deployment(up.url), env);
  const answer = fetch(`${server.url}/v1/audio/speech`, {
    method: 'POST', headers: {'content-type': 'application/json'},
    body: '{"model":"fast","input":"x","voice":"alloy"}'});
  await assert.rejects(answer.then((response) => {
    if (response.status !== 200) throw new Error(`${response.status}`);
    return response.arrayBuffer();
  }));
});
