// SPDX-License-Identifier: Apache-2.0
// The official client against the smallest deployment.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import {echo, serve} from './server.mjs';

const client = (server) =>
  new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0});

test('models are listed and retrieved', async (context) => {
  const server = await serve(context, echo);
  const models = [];
  for await (const model of client(server).models.list()) models.push(model.id);
  assert.deepEqual(models, ['echo']);
  const one = await client(server).models.retrieve('echo');
  assert.equal(one.object, 'model');
  await assert.rejects(client(server).models.retrieve('other'), OpenAI.NotFoundError);
});

test('a chat is answered whole', async (context) => {
  const server = await serve(context, echo);
  const {data, response} = await client(server).chat.completions
    .create({model: 'echo', messages: [{role: 'user', content: 'grüße, wörld'}]})
    .withResponse();
  assert.equal(data.object, 'chat.completion');
  assert.equal(data.model, 'echo');
  assert.deepEqual(data.choices[0].message, {
    role: 'assistant', content: 'grüße, wörld', refusal: null,
  });
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.match(response.headers.get('x-request-id'), /^[0-9a-f]{32}$/);
});

test('a chat is streamed with its usage', async (context) => {
  const server = await serve(context, echo);
  const stream = await client(server).chat.completions.create({
    model: 'echo', stream: true, stream_options: {include_usage: true},
    messages: [{role: 'user', content: 'one two three four'}],
  });
  let text = '';
  const chunks = [];
  for await (const part of stream) {
    chunks.push(part);
    text += part.choices[0]?.delta?.content ?? '';
  }
  assert.equal(text, 'one two three four');
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.ok(chunks.at(-1).usage.total_tokens > 0);
  assert.equal(new Set(chunks.map((part) => part.id)).size, 1);
});

test('a text completion is answered and streamed', async (context) => {
  const server = await serve(context, echo);
  const whole = await client(server).completions.create({model: 'echo', prompt: 'once'});
  assert.equal(whole.object, 'text_completion');
  assert.equal(whole.choices[0].text, 'once');
  let text = '';
  const stream = await client(server).completions.create(
    {model: 'echo', prompt: 'upon a time', stream: true});
  for await (const part of stream) text += part.choices[0]?.text ?? '';
  assert.equal(text, 'upon a time');
});

test('mistakes get the right class and code', async (context) => {
  const server = await serve(context, echo);
  const api = client(server);
  const messages = [{role: 'user', content: 'x'}];
  await assert.rejects(
    api.chat.completions.create({model: 'other', messages}),
    (error) => error instanceof OpenAI.NotFoundError && error.code === 'MODEL_NOT_FOUND');
  await assert.rejects(
    api.chat.completions.create({model: 7, messages}),
    (error) => error instanceof OpenAI.BadRequestError && /model/.test(error.message));
  await assert.rejects(
    api.chat.completions.create({model: 'echo', messages: []}), OpenAI.BadRequestError);
  await assert.rejects(
    api.embeddings.create({model: 'echo', input: 'x'}),
    (error) => error instanceof OpenAI.NotFoundError &&
      error.code === 'OPERATION_NOT_SUPPORTED' && /embeddings/.test(error.message));
});

const raw = [
  ['not JSON', 'nonsense', 400], ['an array', '[]', 400], ['nothing', '', 400],
  ['too deep', `{"model":"echo","x":${'['.repeat(500)}${']'.repeat(500)}}`, 400],
  ['no model', '{"messages":[]}', 400], ['cut off', '{"model":"echo"', 400],
];
for (const [name, body, status] of raw) {
  test(`a body that is ${name} is refused with ${status}`, async (context) => {
    const server = await serve(context, echo);
    const answer = await fetch(`${server.url}/v1/chat/completions`,
      {method: 'POST', headers: {'content-type': 'application/json'}, body});
    assert.equal(answer.status, status);
    const {error} = await answer.json();
    assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });
}

test('a body that is too large is refused with 413', async (context) => {
  const server = await serve(context, echo);
  const messages = [{role: 'user', content: 'x'.repeat(17e6)}];
  const body = JSON.stringify({model: 'echo', messages});
  const answer = await fetch(`${server.url}/v1/chat/completions`,
    {method: 'POST', headers: {'content-type': 'application/json'}, body}).catch((error) => error);
  // The server may close while the client still sends; then there is no answer to read.
  if (answer instanceof Response) assert.equal(answer.status, 413);
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
});

test('unknown paths and methods are told', async (context) => {
  const server = await serve(context, echo);
  assert.equal((await fetch(`${server.url}/v1/nothing`)).status, 404);
  const wrong = await fetch(`${server.url}/v1/chat/completions`);
  assert.equal(wrong.status, 405);
  assert.match(wrong.headers.get('allow'), /POST/);
});

test('health, readiness and metrics', async (context) => {
  const server = await serve(context, echo);
  assert.equal((await fetch(`${server.url}/ready`)).status, 200);
  await client(server).chat.completions.create(
    {model: 'echo', messages: [{role: 'user', content: 'four'}]});
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /backplane_calls_total\{model="echo",outcome="ok"\} 1/);
  assert.match(metrics, /backplane_tokens_total\{kind="completion",model="echo"\} 4/);
  assert.match(metrics, /backplane_live_calls 0/);
});

test('a hundred calls at once', async (context) => {
  const server = await serve(context, echo);
  const api = client(server);
  const answers = await Promise.all(Array.from({length: 100}, (_, i) =>
    api.chat.completions.create(
      {model: 'echo', messages: [{role: 'user', content: `number ${i}`}]})));
  answers.forEach((answer, i) =>
    assert.equal(answer.choices[0].message.content, `number ${i}`));
});
