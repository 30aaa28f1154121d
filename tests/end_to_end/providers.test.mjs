// SPDX-License-Identifier: Apache-2.0
// Every provider's dialect over real connections: what a client sends, what reaches the provider,
// and what comes back.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';
import {join} from 'node:path';
import {ask, gather, stream} from './asking.mjs';
import {head, raw_upstream} from './raw_upstream.mjs';
import {http, run, serve, source, write} from './server.mjs';
import {chunk, completion, event, json, until, upstream} from './upstream.mjs';

const profiles = JSON.parse(readFileSync(join(source, 'plugins/backends/openai/schema.json')))
  .properties.profile.enum;

// A deployment of one backend; `settings` are YAML.
const deployment = (uses, url, settings = 'models_refresh_seconds: 0') => `${http}backends:
  up: {uses: ${uses}, settings: {base_url: "${url}", ${settings}}}
models:
  fast: {routes: [{backend: up, model: theirs}]}
  llama-3.3-70b-instruct: {routes: [{backend: up}]}
`;
const profiled = (profile, url, more = '') =>
  deployment('openai', url, `profile: ${profile}, models_refresh_seconds: 0${more}`);

for (const profile of profiles) {
  test(`${profile}: a chat, whole and streamed`, async (context) => {
    const up = await upstream(context, (seen, response) => {
      if (!JSON.parse(seen.body).stream) return json(response, 200, completion('whole'));
      return stream(response, [': busy\n\n', chunk({content: 'a'}), chunk({content: 'b'}),
        chunk({}, 'stop'), event('[DONE]')]);
    });
    const server = await serve(context, profiled(profile, up.url));
    assert.equal((await (await ask(server, {})).json()).choices[0].message.content, 'whole');
    const seen = await gather(server);
    assert.equal(seen.text, 'ab');
    assert.equal(seen.finish, 'stop');
    assert.equal(up.requests.length, 2);
    assert.ok(up.requests.every(({headers}) => headers['accept-encoding'] === 'identity'));
  });
}

const call = (index, id, name, args) => chunk({tool_calls: [{
  ...(index === null ? {} : {index}), ...(id === null ? {} : {id, type: 'function'}),
  function: {...(name === null ? {} : {name}), arguments: args},
}]});
const usage = {prompt_tokens: 18, completion_tokens: 7, total_tokens: 25};

// [name, what is sent, what a client sees]
const dialects = [
  ['reasoning under its other name',
    [chunk({reasoning: 'I thi', content: ''}), chunk({reasoning: 'nk'}), chunk({content: 'so'}),
      chunk({}, 'stop')], {reasoning: 'I think', text: 'so', finish: 'stop'}],
  ['tool calls without indexes',
    [call(null, 'a', 'f', '{"x"'), call(null, null, null, ':1}'), call(null, 'b', 'g', '{}'),
      chunk({}, 'tool_calls')],
    {calls: [{id: 'a', name: 'f', arguments: '{"x":1}'}, {id: 'b', name: 'g', arguments: '{}'}]}],
  ['tool calls that are all the first, and then stop',
    [call(0, 'a', 'f', '{}'), call(0, 'b', 'g', '{'), call(0, null, null, '}'), chunk({}, 'stop')],
    {finish: 'tool_calls',
      calls: [{id: 'a', name: 'f', arguments: '{}'}, {id: 'b', name: 'g', arguments: '{}'}]}],
  ['a tool call that names itself in every piece',
    [call(0, 'a', 'f', '{'), call(0, 'a', 'f', '}'), chunk({}, 'tool_calls')],
    {calls: [{id: 'a', name: 'f', arguments: '{}'}]}],
  ['arguments that are an object',
    [call(0, 'a', 'f', {x: 'é'}), chunk({}, 'tool_calls')],
    {calls: [{id: 'a', name: 'f', arguments: '{"x":"é"}'}]}],
  ['an end called eos, reasons that are empty',
    [chunk({content: 'a'}, ''), chunk({}, 'eos')], {text: 'a', finish: 'stop'}],
  ['usage in x_groq', [chunk({content: 'a'}, null, {x_groq: {id: 'r'}}),
    chunk({}, 'stop', {x_groq: {id: 'r', usage}})], {usage}],
  ['usage in every chunk, the last one counts',
    [chunk({content: 'a'}, null, {usage: {prompt_tokens: 18, completion_tokens: 1}}),
      chunk({}, 'stop', {usage})], {usage}],
  ['chunks without choices', [{choices: null}, chunk({content: 'a'}), chunk({}, 'stop')],
    {text: 'a'}],
];
for (const [name, pieces, expected] of dialects) {
  test(`one dialect: ${name}`, async (context) => {
    // Half of them without [DONE].
    const up = await upstream(context, (_, response) => stream(response,
      up.requests.length % 2 ? pieces : [...pieces, event('[DONE]')]));
    const server = await serve(context, deployment('openai', up.url));
    for (let round = 0; round < 2; round += 1) {
      const seen = await gather(server);
      assert.equal(seen.error, null);
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(seen[key], value);
    }
    if (expected.usage) {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      assert.match(metrics, /backplane_tokens_total\{kind="completion",model="fast"\} 14/);
    }
  });
}

test('thoughts between tags, wherever they are cut', async (context) => {
  const text = '<think>\nHm <b>é</b>\n</think>\n\nSo <think> it is';
  let size = 0;
  const up = await upstream(context, (seen, response) => {
    if (!JSON.parse(seen.body).stream) return json(response, 200, completion(text));
    const pieces = [...text.matchAll(new RegExp(`[^]{1,${size += 1}}`, 'gu'))];
    return stream(response, [chunk({role: 'assistant', content: ''}),
      ...pieces.map(([content]) => chunk({content})), chunk({}, 'stop'), event('[DONE]')]);
  });
  const server = await serve(context, profiled('huggingface', up.url));
  for (let round = 0; round < text.length; round += 1) {
    const seen = await gather(server);
    assert.equal(seen.reasoning, 'Hm <b>é</b>');
    assert.equal(seen.text, 'So <think> it is');
  }
  const {message} = (await (await ask(server, {})).json()).choices[0];
  assert.equal(message.reasoning_content, 'Hm <b>é</b>');
  assert.equal(message.content, 'So <think> it is');
  const plain = await serve(context, profiled('vllm', up.url));
  assert.equal((await (await ask(plain, {})).json()).choices[0].message.content, text);
});

test('what is in pieces of a byte is put together', async (context) => {
  const bytes = Buffer.from(event(chunk({reasoning: 'dø'})) + event(chunk({content: 'é€😀'})) +
    event(chunk({}, 'stop')) + event('[DONE]'));
  const up = await raw_upstream(context, async (socket) => {
    socket.setNoDelay(true);
    socket.write(head(['content-type: text/event-stream', 'connection: close']));
    for (const byte of bytes) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    }
    socket.end();
  });
  const server = await serve(context, profiled('groq', up.url));
  const seen = await gather(server);
  assert.equal(seen.reasoning, 'dø');
  assert.equal(seen.text, 'é€😀');
});

const failures = [
  ['an object', {error: {message: 'no luck', type: 'invalid_request_error', code: 'x'}}],
  ['a number for a code', {...chunk({content: 'b'}), error: {code: 400, message: 'no luck'}}],
  ['flat', {object: 'error', message: 'no luck', type: 'BadRequestError', code: 400}],
  ['as a text', {error: 'no luck', status: 400}],
  ['named', `event: error\n${event({error: {message: 'no luck', status_code: 400}})}`],
];
for (const [name, failure] of failures) {
  test(`an error in the middle of a stream: ${name}`, async (context) => {
    const up = await upstream(context, (_, response) =>
      stream(response, [chunk({content: 'a'}), failure]));
    const server = await serve(context, deployment('openai', up.url));
    const seen = await gather(server);
    assert.equal(seen.text, 'a');
    assert.match(String(seen.error?.message), /no luck/);
  });
}

test('an error in a whole answer of status 200', async (context) => {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'application/json'});
    response.end('\n\n\n{"error": {"message": "maximum context length is 8", "code": 400}}');
  });
  const server = await serve(context, deployment('openai', up.url));
  const answer = await ask(server, {});
  assert.equal(answer.status, 400);
  assert.equal((await answer.json()).error.code, 'CONTEXT_LENGTH_EXCEEDED');
});

test('groq: fields are dropped and told, or refused', async (context) => {
  const up = await upstream(context, (_, response) => json(response, 200, completion('hi')));
  const server = await serve(context, deployment('groq', up.url));
  const answer = await ask(server, {
    logit_bias: {50256: -100}, max_tokens: 5, n: 1, temperature: 0, odd: {deep: [1.5, null]},
    messages: [{role: 'user', name: 'bob', content: 'x'}],
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('x-backplane-dropped'), 'logit_bias, messages[].name');
  assert.deepEqual(JSON.parse(up.requests[0].body), {
    model: 'theirs', messages: [{role: 'user', content: 'x'}], max_completion_tokens: 5,
    temperature: 0, odd: {deep: [1.5, null]},
  });
  for (const [body, field] of [[{n: 2}, /^n: /], [{logprobs: true}, /^logprobs: /]]) {
    const refused = await ask(server, body);
    assert.equal(refused.status, 400);
    assert.match((await refused.json()).error.message, field);
  }
  assert.equal(up.requests.length, 1);
});

test('what one provider does not take goes to one that does', async (context) => {
  const up = await upstream(context, (seen, response) =>
    json(response, 200, completion(seen.path.startsWith('/v1/one') ? 'one' : 'two')));
  const server = await serve(context, `${http}backends:
  one: {uses: groq, settings: {base_url: "${up.url}/one", models_refresh_seconds: 0}}
  two: {uses: openai, settings: {base_url: "${up.url}/two"}}
models: {fast: {routes: [{backend: one}, {backend: two}]}}
`);
  const text = async (body) =>
    (await (await ask(server, body)).json()).choices[0].message.content;
  assert.equal(await text({}), 'one');
  assert.equal(await text({logprobs: true}), 'two');
  assert.equal(await text({}), 'one');
});

test('venice: its parameters, its names, its headers', async (context) => {
  const up = await upstream(context, (_, response) => json(response, 200, completion('hi'), {
    'x-venice-model-id': 'llama-3.3-70b', 'x-venice-balance-usd': '12.5',
    'x-ratelimit-remaining-requests': '49',
  }));
  const server = await serve(context, deployment('venice', up.url,
    'models_refresh_seconds: 0, venice_parameters: {include_venice_system_prompt: false}'));
  const answer = await ask(server,
    {model: 'llama-3.3-70b-instruct', venice_parameters: {enable_web_search: 'on'}});
  assert.equal(answer.headers.get('x-venice-model-id'), 'llama-3.3-70b');
  assert.equal(answer.headers.get('x-venice-balance-usd'), null);
  assert.equal(answer.headers.get('x-ratelimit-remaining-requests'), null);
  const sent = JSON.parse(up.requests[0].body);
  assert.equal(sent.model, 'llama-3.3-70b');
  assert.deepEqual(sent.venice_parameters,
    {include_venice_system_prompt: false, enable_web_search: 'on'});
});

test('venice: what is to be encrypted goes to the plugin that does', async (context) => {
  const up = await upstream(context, (_, response) => json(response, 200, completion('hi')));
  const yaml = (routes) => `${http}backends:
  clear:
    uses: openai
    settings: {profile: venice, base_url: "${up.url}", models_refresh_seconds: 0}
  spare: {uses: openai, settings: {base_url: "${up.url}"}}
models: {fast: {routes: [${routes}]}}
`;
  const clear = '{backend: clear, model: e2ee-qwen}';
  const server = await serve(context, yaml(clear));
  const refused = await ask(server, {});
  assert.equal(refused.status, 400);
  assert.match((await refused.json()).error.message, /"uses: venice"/);
  assert.equal(up.requests.length, 0);
  const spared = await serve(context, yaml(`${clear}, {backend: spare, model: theirs}`));
  assert.equal((await ask(spared, {})).status, 200);
  assert.equal(JSON.parse(up.requests[0].body).model, 'theirs');
});

// [headers of a 429, its message, seconds that the client is told]
const now_s = () => Math.floor(Date.now() / 1000);
const limits = [
  [() => ({'retry-after': '7'}), '', 7, 7],
  [() => ({'retry-after': new Date(Date.now() + 9000).toUTCString()}), '', 7, 9],
  [() => ({'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1m2.5s'}), '', 63, 63],
  [() => ({'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': `${now_s() + 20}`}), '', 18, 20],
  [() => ({'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${Date.now() + 30000}`}),
    '', 28, 30],
  [() => ({'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '11'}), '', 11, 11],
  [() => ({}), 'Rate limit reached. Please try again in 5.289s. Need more?', 6, 6],
];
test('when to come back is told, however the provider told it', async (context) => {
  const up = await upstream(context, (_, response, count) => {
    const [headers, message] = limits[count - 1];
    json(response, 429, {error: {message, type: 'tokens', code: 'rate_limit_exceeded'}}, headers());
  });
  for (const [, message, least, most] of limits) {
    const server = await serve(context, deployment('openai', up.url));
    const answer = await ask(server, {});
    assert.equal(answer.status, 429, message);
    const seconds = Number(answer.headers.get('retry-after'));
    assert.ok(seconds >= least && seconds <= most, `${seconds} of ${least} to ${most}`);
  }
});

test('the list of models is fetched, and again where it failed', async (context) => {
  const up = await upstream(context, (seen, response) => {
    if (seen.path === '/v1/models') {
      return json(response, 200, {data: [{id: 'theirs', context_window: 8192}]});
    }
    return json(response, 200, completion('hi'));
  });
  const server = await serve(context,
    deployment('groq', up.url, 'api_key: {env: TEST_KEY}, models_refresh_seconds: 1'),
    {TEST_KEY: 'sk-1'});
  const lists = () => up.requests.filter(({path}) => path === '/v1/models');
  await until(() => lists().length >= 2, 10000);
  assert.equal(lists()[0].method, 'GET');
  assert.equal(lists()[0].headers.authorization, 'Bearer sk-1');
  assert.equal((await ask(server, {})).status, 200);
  const broken = await upstream(context, (_, response) => json(response, 500, {}));
  const other = await serve(context, deployment('groq', broken.url, 'models_refresh_seconds: 1'));
  await until(() => broken.requests.length >= 2, 10000);
  await until(() => /list of models could not be read/.test(other.stderr()));
});

test('together: vectors, rankings, images, speech, transcripts', async (context) => {
  const up = await upstream(context, (seen, response) => {
    if (seen.path === '/v1/audio/speech') {
      response.writeHead(200, {'content-type': 'audio/mpeg'});
      return response.end('sound');
    }
    return json(response, 200, {data: [], results: [], text: 'said', path: seen.path});
  });
  const server = await serve(context, profiled('together', up.url));
  for (const [path, body] of [['embeddings', {input: 'x'}], ['images/generations', {prompt: 'x'}],
    ['rerank', {query: 'x', documents: ['y']}]]) {
    const answer = await ask(server, body, path);
    assert.equal(answer.status, 200, path);
    assert.equal((await answer.json()).path, `/v1/${path}`);
  }
  const spoken = await ask(server, {input: 'x', voice: 'v'}, 'audio/speech');
  assert.equal(await spoken.text(), 'sound');
  const form = new FormData();
  form.append('model', 'fast');
  form.append('file', new Blob(['RIFF']), 'a.wav');
  const heard = await fetch(`${server.url}/v1/audio/transcriptions`, {method: 'POST', body: form});
  assert.equal((await heard.json()).text, 'said');
  assert.match(up.requests.at(-1).body, /theirs/);
  const refused = await ask(server, {input: 'x'}, 'moderations');
  assert.equal(refused.status, 404);
});

test('a profile without its key, or without an address, is told at the start', (context) => {
  for (const [settings, words] of [['profile: groq', /api_key: groq needs one/],
    ['profile: gpustack', /base_url/], ['profile: grok', /did you mean "groq"/]]) {
    const file = write(context, `${http}backends:
  up: {uses: openai, settings: {${settings}}}
models: {m: {routes: [{backend: up}]}}
`);
    const {status, stderr} = run(['serve', file]);
    assert.notEqual(status, 0);
    assert.match(stderr, words);
  }
});
