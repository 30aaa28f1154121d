// SPDX-License-Identifier: Apache-2.0
// Traces: a collector that takes them, and calls that do not mind one that does not.
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import test from 'node:test';
import {http, run, serve, slow, write} from './server.mjs';
import {chunk, completion, event, json, until, upstream} from './upstream.mjs';

const trace = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${trace}-b7ad6b7169203331-01`;
const env = {TEST_KEY: 'sk-gateway-secret', COLLECTOR_KEY: 'collector-secret'};

// What it got: {path, headers, body} of each request; `answer` may do as it likes.
async function collector(context, answer = (_, response) => json(response, 200, {})) {
  const requests = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
      requests.push({path: request.url, headers: request.headers, body, at: performance.now()});
      answer(request, response, requests.length);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const spans = () => requests.flatMap(({body}) => JSON.parse(body).resourceSpans)
    .flatMap(({scopeSpans}) => scopeSpans).flatMap((scope) => scope.spans);
  return {url: `http://127.0.0.1:${server.address().port}`, requests, spans};
}

const backend = (url, i) =>
  `  up${i}: {uses: openai, settings: {base_url: "${url}", api_key: {env: TEST_KEY}}}\n`;
const deployment = (endpoint, ...urls) => `${http}limits: {loops: 1}
telemetry:
  otlp:
    endpoint: "${endpoint}"
    headers: {x-collector-key: {env: COLLECTOR_KEY}}
    service_name: gate
    attributes: {deployment.environment.name: test}
backends:
${urls.map(backend).join('')}
models:
  fast: {routes: [${urls.map((_, i) => `{backend: up${i}, model: upstream-model}`).join(', ')}]}
`;

const post = (server, body, headers = {}) => fetch(`${server.url}/v1/chat/completions`, {
  method: 'POST', headers: {'content-type': 'application/json', ...headers},
  body: JSON.stringify({model: 'fast', messages: [{role: 'user', content: 'private words'}],
    ...body}),
});

function value(span, key) {
  const found = span.attributes.find((attribute) => attribute.key === key);
  return found && Object.values(found.value)[0];
}

async function stop(server) {
  server.process.kill('SIGTERM');
  assert.deepEqual(await server.exited, {code: 0, signal: null});
}

const answers = (_, response) => json(response, 200, completion('private answer'));

test('a call and its attempts reach the collector, the upstream is told', async (context) => {
  const sink = await collector(context);
  const bad = await upstream(context, (_, response) =>
    json(response, 503, {error: {message: 'private error'}}));
  const good = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(event(chunk({content: 'private answer'})));
    response.write(event(chunk({}, 'stop')));
    response.write(event({...chunk({}), choices: [], usage: completion('').usage}));
    response.end(event('[DONE]'));
  });
  const server = await serve(context, deployment(sink.url, bad.url, good.url), env);
  const answer = await post(server, {stream: true, max_tokens: 9}, {
    traceparent, tracestate: 'vendor=1', authorization: 'Bearer client-key',
    'x-request-id': 'my-request'});
  assert.equal(answer.status, 200);
  await answer.text();
  assert.equal(answer.headers.get('traceparent'), null);
  await stop(server);

  assert.equal(sink.requests.length, 1);
  const [{path, headers, body}] = sink.requests;
  assert.equal(path, '/v1/traces');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['x-collector-key'], 'collector-secret');
  const [{resource, scopeSpans}] = JSON.parse(body).resourceSpans;
  assert.equal(value(resource, 'service.name'), 'gate');
  assert.equal(value(resource, 'deployment.environment.name'), 'test');
  assert.ok(value(resource, 'service.version'));
  assert.equal(scopeSpans[0].scope.name, 'backplane');

  const spans = sink.spans();
  const call = spans.find(({kind}) => kind === 2);
  const [first, second] = spans.filter(({kind}) => kind === 3);
  for (const span of spans) {
    assert.equal(span.traceId, trace);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    assert.match(span.startTimeUnixNano, /^\d{19}$/);
    assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
    assert.equal(value(span, 'gen_ai.operation.name'), 'chat');
    assert.equal(value(span, 'gen_ai.request.max_tokens'), '9');
    assert.equal(value(span, 'gen_ai.request.stream'), true);
  }
  assert.equal(call.parentSpanId, 'b7ad6b7169203331');
  assert.equal(call.name, 'chat fast');
  assert.equal(call.status, undefined);
  assert.equal(value(call, 'backplane.outcome'), 'ok');
  assert.ok(value(call, 'gen_ai.response.time_to_first_chunk') > 0);
  assert.equal(first.parentSpanId, call.spanId);
  assert.equal(first.name, 'chat upstream-model');
  assert.equal(first.status.code, 2);
  assert.equal(value(first, 'error.type'), 'UPSTREAM_ERROR');
  assert.equal(value(second, 'gen_ai.provider.name'), 'openai');
  assert.equal(value(second, 'backplane.backend'), 'up1');
  assert.equal(value(second, 'gen_ai.usage.input_tokens'), '3');
  assert.equal(value(second, 'gen_ai.usage.output_tokens'), '5');
  assert.equal(value(first, 'gen_ai.usage.input_tokens'), undefined);

  assert.equal(bad.requests[0].headers.traceparent, `00-${trace}-${first.spanId}-01`);
  assert.equal(good.requests[0].headers.traceparent, `00-${trace}-${second.spanId}-01`);
  assert.equal(good.requests[0].headers.tracestate, 'vendor=1');
  assert.doesNotMatch(body, /private|client-key|sk-gateway|127\.0\.0\.1|collector-secret/);
  assert.match(server.stderr(), new RegExp(`trace_id="${trace}"`), 'the log names the trace');
});

test('without telemetry the headers pass as they came', async (context) => {
  const up = await upstream(context, answers);
  const yaml = deployment('http://x', up.url).replace(/telemetry:[\s\S]*?backends:/, 'backends:');
  const server = await serve(context, yaml, env);
  assert.equal((await post(server, {}, {traceparent, tracestate: 'a=1'})).status, 200);
  assert.equal(up.requests[0].headers.traceparent, traceparent);
  assert.equal(up.requests[0].headers.tracestate, 'a=1');
});

test('a collector that asks for patience gets the spans later', async (context) => {
  const sink = await collector(context, (_, response, number) => number === 1
    ? json(response, 503, {}, {'retry-after': '1'}) : json(response, 200, {}));
  const up = await upstream(context, answers);
  const server = await serve(context, deployment(sink.url, up.url), env);
  await Promise.all(Array.from({length: 256}, () => post(server, {})));  // two spans each: a batch
  await until(() => sink.requests.length === 2, 20000 * slow);
  assert.equal(sink.requests[1].body, sink.requests[0].body);
  assert.ok(sink.requests[1].at - sink.requests[0].at >= 1000, 'too soon');
  assert.equal(JSON.parse(sink.requests[1].body).resourceSpans[0].scopeSpans[0].spans.length, 512);
  assert.match(server.stderr(), /spans cannot be exported: the collector answered 503/);
});

const broken = [
  ['is not there', null],
  ['cuts every connection', (request) => request.socket.destroy()],
  ['never answers', () => {}],
  ['answers in pieces without an end', (_, response) => {
    response.writeHead(200, {'content-length': '1000000'});
    response.write('{');
  }],
];
for (const [name, answer] of broken) {
  test(`calls do not mind a collector that ${name}`, async (context) => {
    const url = answer ? (await collector(context, answer)).url : 'http://127.0.0.1:1';
    const up = await upstream(context, answers);
    const server = await serve(context, deployment(url, up.url), env);
    for (let i = 0; i < 8; ++i) {
      const all = await Promise.all(Array.from({length: 64}, () => post(server, {})));
      assert.ok(all.every(({status}) => status === 200));
    }
    const begun = performance.now();
    await stop(server);
    assert.ok(performance.now() - begun < 5000 * slow, 'the end waited for the collector');
    assert.doesNotMatch(server.stderr(), /collector-secret|sk-gateway/);
  });
}

test('settings that cannot be are refused with their place', async (context) => {
  const cases = [
    ['endpoint: "127.0.0.1:4318"', /telemetry\.otlp\.endpoint: expected/],
    ['endpoint: "http://user:pw@host"', /telemetry\.otlp\.endpoint: expected/],
    ['endpoint: "http://h", sample_ratio: 1.5', /telemetry\.otlp\.sample_ratio: expected/],
    ['sample_ratio: 1', /telemetry\.otlp: missing key "endpoint"/],
    ['endpoint: "http://h", headers: {Host: x}', /telemetry\.otlp\.headers\.Host: /],
  ];
  for (const [otlp, expected] of cases) {
    const yaml = `${http}telemetry: {otlp: {${otlp}}}
backends: {e: {uses: echo}}
models: {m: {routes: [{backend: e}]}}
`;
    const done = run(['serve', write(context, yaml)]);
    assert.notEqual(done.status, 0, otlp);
    assert.match(done.stderr, expected);
  }
});
