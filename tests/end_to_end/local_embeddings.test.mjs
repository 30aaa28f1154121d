// SPDX-License-Identifier: Apache-2.0
// Embeddings and rankings of the bundled model, through the real client.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import {http, model, serve, slow} from './server.mjs';

const deployment = (settings = '') =>
  `${http}backends: {local: {uses: local, settings: {model: "${model}"${settings}}}}
models: {tiny-chat: {routes: [{backend: local}]}}
`;
const client = (server) =>
  new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 60000 * slow});
const ask = {model: 'tiny-chat'};
const length = (vector) => Math.hypot(...vector);
const close = (a, b) => a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) < 1e-6);

test('floats and base64 are the same vectors, of length 1', async (context) => {
  const api = client(await serve(context, deployment()));
  const input = ['a red fox', 'Once upon a time there was a little girl'];
  const floats = await api.embeddings.create({...ask, input, encoding_format: 'float'});
  const packed = await api.embeddings.create({...ask, input});  // the client asks for base64
  assert.equal(floats.model, 'tiny-chat');
  assert.equal(floats.object, 'list');
  assert.deepEqual(floats.data.map((one) => one.index), [0, 1]);
  floats.data.forEach((one, i) => {
    assert.ok(Math.abs(length(one.embedding) - 1) < 1e-5);
    assert.ok(close(one.embedding, packed.data[i].embedding));
  });
  assert.ok(floats.usage.prompt_tokens > 5);
  assert.equal(floats.usage.total_tokens, floats.usage.prompt_tokens);
  const raw = await (await fetch(`${api.baseURL}/embeddings`, {
    method: 'POST', body: JSON.stringify({...ask, input: input[0], encoding_format: 'base64'}),
    headers: {'content-type': 'application/json'}})).json();
  const bytes = Buffer.from(raw.data[0].embedding, 'base64');
  assert.equal(bytes.length, 4 * floats.data[0].embedding.length);
  assert.ok(Math.abs(bytes.readFloatLE(0) - floats.data[0].embedding[0]) < 1e-6);
});

test('many texts at once, some of them long, are each as alone', async (context) => {
  const api = client(await serve(context, deployment(', batch_tokens: 16')));
  const input = Array.from({length: 60}, (_, i) => `story ${i} `.repeat(1 + i % 7));
  const all = await api.embeddings.create({...ask, input, encoding_format: 'float'});
  assert.equal(all.data.length, input.length);
  for (const i of [0, 6, 59]) {
    const one = await api.embeddings.create({...ask, input: input[i], encoding_format: 'float'});
    assert.ok(close(one.data[0].embedding, all.data[i].embedding));
  }
});

test('dimensions, and what is wrong', async (context) => {
  const api = client(await serve(context, deployment()));
  const some = await api.embeddings.create(
    {...ask, input: 'fox', dimensions: 16, encoding_format: 'float'});
  assert.equal(some.data[0].embedding.length, 16);
  assert.ok(Math.abs(length(some.data[0].embedding) - 1) < 1e-5);
  const long = 'word '.repeat(5000);
  for (const wrong of [{input: ''}, {input: []}, {input: [99999999]}, {input: long},
    {input: 'a', dimensions: 1 << 20}, {input: 'a', encoding_format: 'int8'}]) {
    await assert.rejects(api.embeddings.create({...ask, ...wrong}),
      (error) => error.status === 400 && error.message.length > 10,
      JSON.stringify(wrong).slice(0, 80));
  }
  const cut = await api.embeddings.create({...ask, input: long, truncate: true});
  assert.ok(cut.usage.prompt_tokens > 100);
});

test('what the settings leave out is not offered', async (context) => {
  const api = client(await serve(context, deployment(', operations: [embeddings]')));
  assert.equal((await api.embeddings.create({...ask, input: 'a'})).data.length, 1);
  await assert.rejects(
    api.chat.completions.create({...ask, messages: [{role: 'user', content: 'hi'}]}),
    (error) => error.code === 'OPERATION_NOT_SUPPORTED');
});

test('documents are ranked, the likest first', async (context) => {
  const server = await serve(context, deployment());
  const rank = async (body) => {
    const response = await fetch(`${server.url}/v1/rerank`, {method: 'POST',
      body: JSON.stringify({...ask, ...body}), headers: {'content-type': 'application/json'}});
    return {status: response.status, ...await response.json()};
  };
  const documents = ['The big dog ran.', {text: 'a red fox'}, 'Lily likes cake.'];
  const answer = await rank({query: 'a red fox', documents, top_n: 2, return_documents: true});
  assert.equal(answer.status, 200);
  assert.equal(answer.model, 'tiny-chat');
  assert.equal(answer.results.length, 2);
  assert.equal(answer.results[0].index, 1);
  assert.equal(answer.results[0].document.text, 'a red fox');
  assert.ok(answer.results[0].relevance_score > answer.results[1].relevance_score);
  assert.ok(answer.usage.total_tokens > 0);
  assert.equal((await rank({query: 'a', documents: []})).status, 400);
});

test('an adapter that there is not is told so', async (context) => {
  const api = client(await serve(context, deployment()));
  await assert.rejects(api.embeddings.create({...ask, input: 'a', adapter: 'missing'}),
    (error) => error.status === 404 && /there is no adapter "missing"/.test(error.message));
});
