// SPDX-License-Identifier: Apache-2.0
// What providers put on the wire, as bytes: streams that are written oddly, answers that come late,
// failures of every provider, and where a call goes after them.
import assert from 'node:assert/strict';
import test from 'node:test';
import {gzipSync} from 'node:zlib';
import {ask, gather} from './asking.mjs';
import {head, raw_upstream, whole} from './raw_upstream.mjs';
import {http, serve, slow} from './server.mjs';
import {chunk, completion, event, json, until, upstream} from './upstream.mjs';

const idle_ms = 600 * slow;
const deployment = (bad, good) => `${http}limits: {loops: 1}
backends:
  bad: {uses: openai, settings: {base_url: "${bad}",
    timeouts: {first_byte_ms: ${idle_ms}, idle_ms: ${idle_ms}}}}
  good: {uses: openai, settings: {base_url: "${good ?? bad}"}}
models:
  alone: {routes: [{backend: bad, model: theirs}]}
  fast: {policy: ordered, routes: [{backend: bad, model: theirs}, {backend: good, model: theirs}]}
`;
const alone = {model: 'alone'};
const stream_head = head(['content-type: text/event-stream', 'connection: close']);
const later = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const hello = event(chunk({content: 'hel'})) + event(chunk({content: 'lo'}));
const stop = event(chunk({}, 'stop'));
const done = 'data: [DONE]\n\n';
const usage = {prompt_tokens: 18, completion_tokens: 7, total_tokens: 25};
const one_line = (value) => JSON.stringify(value);

// A chunk on lines of its own, each a line of data.
const spread = (value) =>
  JSON.stringify(value, null, 1).split('\n').map((line) => `data: ${line}\n`).join('') + '\n';

// Perplexity: all that was said, and what is new, with the usage so far; no [DONE].
const perplexity = (said, content, finish = null) => ({
  ...chunk({role: 'assistant', content}, finish), usage, citations: ['https://a'],
  choices: [{index: 0, finish_reason: finish, message: {role: 'assistant', content: said},
    delta: {role: 'assistant', content}}],
});

// [name, bytes behind the head, what a client sees]
const text = {text: 'hello', finish: 'stop', error: null};
const streams = [
  ['lines that end in CRLF', (hello + stop + done).replaceAll('\n', '\r\n'), text],
  ['lines that end in CR', (hello + stop + done).replaceAll('\n', '\r'), text],
  ['no space behind data:', (hello + stop + done).replaceAll('data: ', 'data:'), text],
  ['a byte order mark', `\uFEFF${hello}${stop}${done}`, text],
  ['names, ids and times to come back',
    (hello + stop).replaceAll('data: ', 'id: 7\nretry: 10\nevent: message\ndata: ') + done, text],
  ['data on several lines', spread(chunk({content: 'hello'})) + stop + done, text],
  ['comments and blank lines between and within events',
    `: OPENROUTER PROCESSING\n\n\n\n${hello.replaceAll('data: ', ': keep-alive\ndata: ')}\n\n` +
    `${stop}:\n\n${done}`, text],
  ['events without data', `event: ping\n\nid: 1\n\n${hello}${stop}${done}`, text],
  ['bytes behind [DONE]', `${hello}${stop}${done}${event(chunk({content: 'no'}))}garbage`, text],
  ['an end without [DONE]', hello + stop, text],
  ['an end in the blank line', (hello + stop).trimEnd(), text],
  ['[DONE] without a blank line', `${hello}${stop}data: [DONE]`, text],
  ['a finish reason that is repeated', `${hello}${stop}${stop}${done}`, text],
  ['a line of 900 KiB', event(chunk({content: 'x'.repeat(900 << 10)})) + stop + done,
    {text: 'x'.repeat(900 << 10), finish: 'stop', error: null}],
  ['numbers that no double holds, members that nobody knows',
    event(chunk({role: 'assistant', content: 'hello', token_id: 5}, null, {odd: {a: [1.50]}}))
      .replace('"index":0', '"index":0,"seed":18446744073709551557,"matched_stop":null') +
    stop + done, text],
  ['Perplexity', event(perplexity('hel', 'hel')) + event(perplexity('hello', 'lo')) +
    event({...perplexity('hello', '', 'stop'), object: 'chat.completion.done'}),
    {...text, usage}],
  ['GPUStack', event(chunk({content: 'hello'}, null, {usage: null})) +
    event(chunk({}, 'stop', {usage: {...usage, tokens_per_second: 21.5}})), text],
  ['vLLM with counts that are null',
    hello + stop + event({...chunk({}), choices: [],
      usage: {prompt_tokens: 18, completion_tokens: null, total_tokens: 18}}) + done, text],
  ['Alibaba: a tool call in pieces with empty ids',
    event(chunk({tool_calls: [{index: 0, id: 'a', type: 'function',
      function: {name: 'f', arguments: '{"x"'}}]})) +
    event(chunk({tool_calls: [{index: 0, id: '', type: 'function',
      function: {arguments: ':1}'}}]})) + event(chunk({}, 'tool_calls')) + done,
    {calls: [{id: 'a', name: 'f', arguments: '{"x":1}'}], finish: 'tool_calls', error: null}],
];
test('a stream is read however it is written', async (context) => {
  const up = await raw_upstream(context, () => {});
  const server = await serve(context, deployment(up.url));
  for (const [name, bytes, expected] of streams) {
    await context.test(name, async () => {
      for (const cut of [0, 1 + Math.floor(bytes.length / 3)]) {
        up.answer = async (socket) => {
          socket.setNoDelay(true);
          const all = Buffer.from(stream_head + bytes);
          await new Promise((resolve) => socket.write(all.subarray(0, cut), resolve));
          socket.end(all.subarray(cut));
        };
        const seen = await gather(server, {...alone, stream_options: {include_usage: true}});
        for (const [key, value] of Object.entries(expected)) assert.deepEqual(seen[key], value);
      }
    });
  }
});

test('what comes late but in time is waited for', async (context) => {
  const up = await raw_upstream(context, () => {});
  const server = await serve(context, deployment(up.url));
  const part = idle_ms / 2;
  await context.test('the first byte', async () => {
    up.answer = (socket) => setTimeout(() => socket.end(whole(one_line(completion('hi')))), part);
    assert.equal((await ask(server, alone)).status, 200);
  });
  await context.test('the middle, while comments say that it is to come', async () => {
    up.answer = async (socket) => {
      socket.write(stream_head + event(chunk({content: 'hel'})));
      for (let i = 0; i < 4; i += 1) {
        await later(part);
        socket.write(': keep-alive\n\n');
      }
      socket.end(event(chunk({content: 'lo'})) + stop + done);
    };
    const seen = await gather(server, alone);
    for (const [key, value] of Object.entries(text)) assert.deepEqual(seen[key], value);
  });
  await context.test('[DONE] on a connection that stays open', async () => {
    up.answer = (socket) => socket.write(stream_head + hello + stop + done);
    const before = performance.now();
    const seen = await gather(server, alone);
    assert.equal(seen.text, 'hello');
    assert.ok(performance.now() - before < idle_ms, 'the end of the connection was waited for');
  });
  await context.test('an answer on a half-closed connection', async () => {
    up.answer = (socket) => socket.end(stream_head + hello + stop + done);
    assert.equal((await gather(server, alone)).text, 'hello');
  });
});

// A first byte that is too late costs a route, not the call: [name, what the route does].
const faults = [
  ['no first byte', () => {}],
  ['a head and no event', (socket) => socket.write(stream_head)],
  ['a head, comments and an end', (socket) => socket.end(`${stream_head}: busy\n\n`)],
  ['a reset', (socket) => socket.resetAndDestroy()],
  ['half a head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-')],
  ['garbage', (socket) => socket.end(Buffer.from([0, 255, 254, 1, 2, 13, 10, 13, 10]))],
  ['a stream in gzip', (socket) => socket.end(Buffer.concat([
    Buffer.from(head(['content-type: text/event-stream', 'content-encoding: gzip',
      'connection: close'])), gzipSync(hello + stop + done)]))],
  ['an error before all text', (socket) =>
    socket.end(stream_head + event({error: {message: 'busy', code: 503}}) + done)],
  ['a document that is an error', (socket) =>
    socket.end(whole('{"error":{"message":"queue is full","code":"queue_full"}}'))],
];
for (const [name, fault] of faults) {
  test(`${name}: the next route answers`, async (context) => {
    const bad = await raw_upstream(context, fault);
    const good = await raw_upstream(context,
      (socket) => socket.end(stream_head + hello + stop + done));
    const server = await serve(context, deployment(bad.url, good.url));
    const seen = await gather(server);
    for (const [key, value] of Object.entries(text)) assert.deepEqual(seen[key], value);
    assert.equal(bad.requests.length, 1);
  });
}

// In the middle of a stream of status 200: [name, bytes, words].
const middles = [
  ['Groq', `event: error\n${event({error: {message: 'no luck', type: 'invalid_request_error',
    code: 'tool_use_failed', failed_generation: '<f', status_code: 400}})}`, /no luck/],
  ['OpenRouter', event({...chunk({content: ''}, 'error'),
    error: {code: 502, message: 'gone'}}) + done, /provider failed with status 502/],
  ['vLLM', event({error: {message: 'no luck', type: 'BadRequestError', code: 400}}) + done,
    /no luck/],
  ['SGLang', event({error: {object: 'error', message: 'no luck', type: 'BadRequestError',
    param: null, code: 400}}) + done, /no luck/],
  ['SGLang, given up', event(chunk({}, 'abort')) + done, /gave its answer up/],
  ['SambaNova', event({error: {message: 'no luck', type: 'invalid_request_error', param: null,
    code: null, model_output: 'x'}}), /no luck/],
  ['llama.cpp', event({error: {code: 400, message: 'no luck', type: 'invalid_request_error'}}),
    /no luck/],
  ['llama.cpp, older', 'error: {"code":400,"message":"no luck","type":"invalid_request_error"}\n\n',
    /no luck/],
  ['Venice', event({error: 'no luck', code: 'INVALID_REQUEST', status: 400}), /no luck/],
  ['DeepInfra', event({detail: {error: 'too long', code: 400}}), /./],
];
for (const [name, bytes, words] of middles) {
  test(`an error in the middle, as of ${name}`, async (context) => {
    const up = await raw_upstream(context,
      (socket) => socket.end(stream_head + event(chunk({content: 'half'})) + bytes));
    const server = await serve(context, deployment(up.url));
    const seen = await gather(server);
    assert.equal(seen.text, 'half');
    assert.match(String(seen.error?.message), words);
    assert.equal(up.requests.length, 1, 'what has begun is not begun again');
  });
}

// [provider, status, body, what the client is told, whether another route is asked]
const failures = [
  ['Venice, a text', 400, {error: 'bad', code: 'INVALID_REQUEST'}, 400, null, false],
  ['Venice, too long', 400, {error: 'x', code: 'TOO_MANY_TOKENS'}, 400, 'CONTEXT_LENGTH_EXCEEDED',
    false],
  ['Venice, no such model', 404, {error: 'x', code: 'MODEL_NOT_FOUND'}, 404, 'MODEL_NOT_FOUND',
    true],
  ['Venice, another model', 400, {error: 'x', code: 'INVALID_MODEL'}, 404, 'MODEL_NOT_FOUND',
    true],
  ['Venice, no money', 402, {error: 'x', code: 'INSUFFICIENT_BALANCE'}, 502, 'UPSTREAM_QUOTA',
    true],
  ['Venice, no money, by wallet', 402, {error: 'Payment required', code: 'PAYMENT_REQUIRED',
    reason: 'insufficient_balance'}, 502, 'UPSTREAM_QUOTA', true],
  ['Venice, the key', 401, {error: 'x', code: 'AUTHENTICATION_FAILED'}, 502, 'UPSTREAM_AUTH', true],
  ['Venice, not to be said', 422, {error: 'x', code: 'CONTENT_POLICY_VIOLATION'}, 422,
    'CONTENT_POLICY_VIOLATION', false],
  ['Venice, busy', 429, {error: 'x', code: 'MODEL_OVERLOADED'}, 503, 'UPSTREAM_ERROR', true],
  ['Venice, no evidence', 502, {error: 'x', code: 'TEE_ATTESTATION_FAILED'}, 502,
    'UPSTREAM_ERROR', true],
  ['Venice, too slow', 504, {error: 'x', code: 'REQUEST_TIMEOUT'}, 504, 'UPSTREAM_ERROR', true],
  ['Groq, no capacity', 498, {error: {message: 'x', code: 'capacity_exceeded'}}, 503,
    'UPSTREAM_ERROR', true],
  ['Groq, what failed before', 424, {error: {message: 'x'}}, 502, 'UPSTREAM_ERROR', true],
  ['Groq, no such model', 404, {error: {message: 'x', type: 'invalid_request_error',
    code: 'model_not_found'}}, 404, 'MODEL_NOT_FOUND', true],
  ['OpenRouter, moderated', 403, {error: {code: 403, message: 'x',
    metadata: {reasons: ['violence'], provider_name: 'a'}}}, 400, 'CONTENT_POLICY_VIOLATION',
    false],
  ['OpenRouter, overloaded', 529, {error: {code: 529, message: 'x'}}, 503, 'UPSTREAM_ERROR', true],
  ['OpenRouter, the edge gave up', 524, 'error code: 524', 504, 'UPSTREAM_ERROR', true],
  ['SambaNova, gone', 410, {error: {message: 'x', code: 'model_deprecated'}}, 404,
    'MODEL_NOT_FOUND', true],
  ['SambaNova, no quota', 429, {error: {message: 'x', code: 'insufficient_quota'}}, 502,
    'UPSTREAM_QUOTA', true],
  ['SambaNova, a full queue', 429, {error: {message: 'x', code: 'queue_full'}}, 503,
    'UPSTREAM_ERROR', true],
  ['SGLang, flat', 400, {object: 'error', message: 'bad', type: 'BadRequestError', param: null,
    code: 400}, 400, null, false],
  ['vLLM, nested', 400, {error: {message: 'maximum context length is 8', code: 400}}, 400,
    'CONTEXT_LENGTH_EXCEEDED', false],
  ['llama.cpp, too long', 400, {error: {code: 400, type: 'exceed_context_size_error',
    message: 'x', n_prompt_tokens: 9, n_ctx: 8}}, 400, 'CONTEXT_LENGTH_EXCEEDED', false],
  ['llama.cpp, loading', 503, {error: {code: 503, message: 'Loading model',
    type: 'unavailable_error'}}, 503, 'UPSTREAM_ERROR', true],
  ['Ollama', 401, {error: {message: 'Unauthorized', type: 'api_error', param: null, code: null}},
    502, 'UPSTREAM_AUTH', true],
  ['DeepInfra', 422, {detail: {error: 'bad'}}, 422, null, false],
  ['Phala', 503, {error: {message: 'x', type: 'upstream_verification_failed'}}, 503,
    'UPSTREAM_ERROR', true],
  ['Phala, a session', 412, {error: {message: 'x', type: 'session_not_accepted'}}, 502,
    'UPSTREAM_ERROR', true],
  ['a page of HTML', 502, '<html>nginx</html>', 502, 'UPSTREAM_ERROR', true],
];
for (const [name, status, body, told, code, goes_on] of failures) {
  test(`${status} as of ${name}`, async (context) => {
    const bad = await upstream(context, (_, response) => {
      response.writeHead(status, {'content-type': 'application/json'});
      response.end(typeof body === 'string' ? body : one_line(body));
    });
    const good = await upstream(context, (_, response) => json(response, 200, completion('hi')));
    const server = await serve(context, deployment(bad.url, good.url));
    assert.equal((await ask(server, {})).status, goes_on ? 200 : told);
    assert.equal(good.requests.length, goes_on ? 1 : 0);
    const answer = await ask(server, alone);
    assert.equal(answer.status, told);
    const {error} = await answer.json();
    if (code !== null) assert.equal(error.code, code);
  });
}

test('a client that leaves a stalled stream frees it', async (context) => {
  const up = await raw_upstream(context, (socket) =>
    socket.write(stream_head + event(chunk({content: 'x'}))));
  const server = await serve(context, deployment(up.url).replaceAll(`${idle_ms}`, '60000'));
  const leave = new AbortController();
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST', headers: {'content-type': 'application/json'}, signal: leave.signal,
    body: one_line({model: 'alone', messages: [{role: 'user', content: 'x'}], stream: true})});
  await answer.body.getReader().read();
  leave.abort();
  await until(() => up.closed === 1, 10000 * slow);
});
