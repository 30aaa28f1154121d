// SPDX-License-Identifier: Apache-2.0
// One suite for the providers that have a plugin of their own: against a server here that answers
// as they do, and against themselves where the environment has their keys. VENICE_MODEL,
// GROQ_MODEL and PHALA_MODEL name another model than the usual one.
import assert from 'node:assert/strict';
import test from 'node:test';
import {ask, gather} from './asking.mjs';
import {http, serve, slow} from './server.mjs';
import {chunk, completion, event, json, until, upstream} from './upstream.mjs';

const usage = {prompt_tokens: 9, completion_tokens: 2, total_tokens: 11};
const groq_error = (message, code) =>
  ({error: {message, type: 'invalid_request_error', ...(code ? {code} : {})}});

// `model`, `vectors` (of embeddings; null: none): what is asked for. The rest is what the server
// here does as the provider: its list, how it ends a stream, what it says of an unknown model.
const providers = [
  {
    name: 'groq', model: process.env.GROQ_MODEL ?? 'llama-3.1-8b-instant', vectors: null,
    list: (id) => ({id, object: 'model', owned_by: 'Meta', active: true, context_window: 131072}),
    ending: () => [chunk({}, 'stop', {x_groq: {id: 'req_1', usage}})],
    unknown: [404, groq_error('The model does not exist', 'model_not_found')],
  },
  {
    name: 'venice', model: process.env.VENICE_MODEL ?? 'llama-3.3-70b',
    vectors: 'text-embedding-bge-m3',
    list: (id) => ({id, object: 'model', type: 'text', owned_by: 'venice.ai',
      model_spec: {availableContextTokens: 65536, privacy: 'private',
        pricing: {input: {usd: 0.7}, output: {usd: 2.8}}}}),
    ending: (asked) => [chunk({}, 'stop'),
      ...(asked.stream_options?.include_usage ? [{...chunk({}), choices: [], usage}] : []),
      event('[DONE]')],
    unknown: [404, {error: 'Specified model not found', code: 'MODEL_NOT_FOUND'}],
  },
  {
    name: 'phala', model: process.env.PHALA_MODEL ?? 'phala/gpt-oss-120b', vectors: null,
    list: (id) => ({id, object: 'model', context_length: 131072}),
    ending: (asked) => [chunk({}, 'stop'),
      ...(asked.stream_options?.include_usage ? [{...chunk({}), choices: [], usage}] : []),
      event('[DONE]')],
    unknown: [404, {error: {message: 'No such model', type: 'model_not_found', code: null,
      param: null}}],
  },
];

async function stand_in(context, provider, key) {
  return upstream(context, (seen, response) => {
    if (seen.headers.authorization !== `Bearer ${key}`) {
      return json(response, 401, {error: {message: 'Unauthorized'}});
    }
    if (seen.path === '/v1/models') {
      return json(response, 200, {object: 'list', data: [provider.list(provider.model)]});
    }
    const asked = JSON.parse(seen.body);
    if (![provider.model, provider.vectors].includes(asked.model)) {
      return json(response, ...provider.unknown);
    }
    if (seen.path === '/v1/embeddings') {
      return json(response, 200, {object: 'list', model: asked.model, usage,
        data: [{object: 'embedding', index: 0, embedding: [0.25, -0.5]}]});
    }
    if (!asked.stream) return json(response, 200, {...completion('hi'), usage});
    response.writeHead(200, {'content-type': 'text/event-stream'});
    for (const piece of [chunk({role: 'assistant', content: ''}), chunk({content: 'hi'}),
      ...provider.ending(asked)]) {
      response.write(typeof piece === 'string' ? piece : event(piece));
    }
    return response.end();
  });
}

// `url`: of what answers in its place; null: the provider itself. Small questions, few tokens.
async function check(context, provider, key, url) {
  const {name, model, vectors} = provider;
  const where = url === null ? '' : `, base_url: "${url}"`;
  const server = await serve(context, `${http}backends:
  up: {uses: ${name}, settings: {api_key: {env: PROVIDER_KEY}${where}}}
models:
  fast: {routes: [{backend: up, model: "${model}"}]}
  wrong: {routes: [{backend: up, model: no-such-model-anywhere}]}
${vectors === null ? '' : `  vectors: {routes: [{backend: up, model: "${vectors}"}]}\n`}`,
  {PROVIDER_KEY: key});
  const few = {max_tokens: 16, temperature: 0};

  await context.test('the list of models is read', async () => {
    const listed = async () => (await (await fetch(`${server.url}/v1/models`)).json()).data
      .find(({id}) => id === 'fast').context_length > 0;
    let is_listed = false;
    const look = setInterval(async () => { is_listed = await listed(); }, 100);
    await until(() => is_listed, 20000 * slow).finally(() => clearInterval(look));
  });
  await context.test('a chat, whole', async () => {
    const answer = await ask(server, few);
    const document = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(document));
    const {message} = document.choices[0];
    assert.ok((message.content ?? '').length + (message.reasoning_content ?? '').length > 0);
    assert.ok(['stop', 'length'].includes(document.choices[0].finish_reason));
    assert.ok(document.usage.prompt_tokens > 0 && document.usage.completion_tokens > 0);
    assert.equal(answer.headers.get('x-backplane-provider'), 'up');
  });
  for (const asks of [true, false]) {
    await context.test(`a chat, streamed, usage ${asks ? '' : 'not '}asked for`, async () => {
      const seen = await gather(server, {...few, stream_options: {include_usage: asks}});
      assert.equal(seen.error, null);
      assert.ok(seen.text.length + seen.reasoning.length > 0);
      assert.ok(['stop', 'length'].includes(seen.finish), seen.finish);
      if (asks) assert.ok(seen.usage.prompt_tokens > 0 && seen.usage.completion_tokens > 0);
    });
  }
  await context.test('all of it is metered', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    for (const kind of ['prompt', 'completion']) {
      const line = new RegExp(`backplane_tokens_total\\{kind="${kind}",model="fast"\\} (\\d+)`);
      assert.ok(Number(line.exec(metrics)?.[1]) >= 3, `tokens of ${kind}`);
    }
  });
  await context.test('embeddings', {skip: vectors === null && 'none offered'}, async () => {
    const answer = await ask(server, {model: 'vectors', input: 'x'}, 'embeddings');
    const document = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(document));
    assert.ok(document.data[0].embedding.length > 0);
  });
  await context.test('an unknown model', async () => {
    for (const stream of [false, true]) {
      const answer = await ask(server, {model: 'wrong', stream, ...few});
      const {error} = await answer.json();
      assert.equal(answer.status, 404, JSON.stringify(error));
      assert.doesNotMatch(error.message, new RegExp(key));
    }
  });
  await context.test('a field that is left out, and told', {skip: name !== 'groq'}, async () => {
    const answer = await ask(server, {...few, logit_bias: {50256: -1}});
    assert.equal(answer.status, 200, await answer.text());
    assert.equal(answer.headers.get('x-backplane-dropped'), 'logit_bias');
  });
  if (url !== null) return;
  await context.test('a key that is wrong', async () => {
    const other = await serve(context, `${http}backends:
  up: {uses: ${name}, settings: {api_key: {env: PROVIDER_KEY}, models_refresh_seconds: 0}}
models: {fast: {routes: [{backend: up, model: "${model}"}]}}
`, {PROVIDER_KEY: 'no-key-at-all'});
    const answer = await ask(other, few);
    assert.equal(answer.status, 502);
    assert.equal((await answer.json()).error.code, 'UPSTREAM_AUTH');
  });
}

for (const provider of providers) {
  test(`as ${provider.name} answers`, async (context) => {
    const up = await stand_in(context, provider, 'sk-stand-in');
    await check(context, provider, 'sk-stand-in', up.url);
  });
  const variable = `${provider.name.toUpperCase()}_API_KEY`;
  const key = process.env[variable];
  test(`live: ${provider.name}`, {skip: !key && `no ${variable}`},
    (context) => check(context, provider, key, null));
}
