// SPDX-License-Identifier: Apache-2.0
// The operator's endpoint, as docs/admin.md describes it.
import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {request} from 'node:http';
import {join} from 'node:path';
import test from 'node:test';
import {echo, http, serve, streamed, workdir} from './server.mjs';
import {chunk, event, until, upstream} from './upstream.mjs';

const token = 'a-token-of-the-operator';

// A server with an admin endpoint at a Unix socket, and what talks to it.
async function operated(context, yaml = echo) {
  const path = join(workdir(context), 'admin.sock');
  const server = await serve(context, `${yaml}admin: {listen: "unix:${path}", ` +
    'token: {env: BP_TEST_TOKEN}}\n', {BP_TEST_TOKEN: token});
  const ask = (method, target, {body, authorization = `Bearer ${token}`} = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({socketPath: path, method, path: target, agent: false,
        headers: authorization === null ? {} : {authorization}}, (response) => {
        let text = '';
        response.on('data', (data) => { text += data; });
        response.on('end', () => {
          let json;
          try { json = JSON.parse(text); } catch { json = undefined; }
          resolve({status: response.statusCode, headers: response.headers, text, json});
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {server, ask, path, get: (target) => ask('GET', target)};
}

const chat = (server, model, stream = true) => fetch(`${server.url}/v1/chat/completions`, {
  method: 'POST', headers: {'content-type': 'application/json'},
  body: JSON.stringify({model, stream, messages: [{role: 'user', content: 'hello'}]}),
});

test('status, plugins and routes say what runs', async (context) => {
  const {get} = await operated(context);
  const status = (await get('/admin/status')).json;
  assert.equal(status.state, 'serving');
  assert.equal(status.generation, 1);
  assert.equal(status.last_reload, null);
  assert.match(status.file, /deploy\.yaml$/);
  assert.match(status.version, /^\d+\.\d+\.\d+$/);
  const {plugins} = (await get('/admin/plugins')).json;
  assert.deepEqual(plugins.map(({kind, name, generation}) => ({kind, name, generation})), [
    {kind: 'transport', name: 'http', generation: 1},
    {kind: 'backend', name: 'echo', generation: 1},
  ]);
  assert.match(plugins[1].file, /echo\.so$/);
  assert.match(plugins[1].sha256, /^[0-9a-f]{64}$/);
  const routes = (await get('/admin/routes')).json;
  assert.equal(routes.models[0].name, 'echo');
  assert.equal(routes.models[0].routes[0].backend, 'echo');
  assert.deepEqual(routes.backends,
    [{name: 'echo', in_flight: 0, max_concurrent: 0, adaptive_concurrency: 0, leaked: 0,
      timeout_ms: 600000}]);
});

test('health and readiness need no token, all else does', async (context) => {
  const {server, ask} = await operated(context);
  for (const target of ['/health', '/ready']) {
    assert.equal((await ask('GET', target, {authorization: null})).status, 200);
  }
  const refused = [null, 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`, 'Bearer '];
  const targets = [['GET', '/metrics'], ['GET', '/admin/status'], ['POST', '/admin/drain'],
    ['GET', '/none']];
  const answers = await Promise.all(targets.flatMap(([method, target]) =>
    refused.map((authorization) => ask(method, target, {authorization}))));
  for (const answer of answers) {
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
  }
  const {status, text} = await ask('GET', '/metrics', {authorization: `bearer ${token}`});
  assert.equal(status, 200);
  assert.match(text, /^backplane_config_generation 1$/m);
  assert.equal((await ask('GET', '/admin/status')).json.state, 'serving');
  assert.doesNotMatch(server.stderr() + server.stdout(), new RegExp(token));
});

test('what is not there is said', async (context) => {
  const {ask} = await operated(context);
  assert.equal((await ask('GET', '/admin/none')).status, 404);
  assert.equal((await ask('POST', '/admin/status')).status, 405);
  assert.equal((await ask('DELETE', '/admin/calls/none')).status, 404);
  assert.equal((await ask('DELETE', '/admin/calls/%zz')).status, 404);
});

test('requests have bounds and may come in pieces', async (context) => {
  const {ask, path} = await operated(context);
  const large = await ask('PUT', '/admin/log', {body: 'x'.repeat(100000)});
  assert.equal(large.status, 413);
  const raw = (...pieces) => new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.on('data', (data) => { text += data; });
    socket.on('close', () => resolve(text));
    socket.on('error', () => {});
    const next = () => {
      if (pieces.length > 0) socket.write(pieces.shift(), () => setImmediate(next));
    };
    next();
  });
  assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await raw(`GET / HTTP/1.1\r\nx: ${'y'.repeat(20000)}\r\n\r\n`), /^HTTP\/1\.1 413 /);
  const two = await raw('GET /heal', 'th HTTP/1.1\r\nhost: a\r\n\r\nGET /ready HTTP/1.1\r\n',
    'host: a\r\nconnection: close\r\n\r\n');
  assert.equal(two.match(/HTTP\/1\.1 200 OK/g).length, 2);
});

test('what is kept is forgotten', async (context) => {
  const yaml = echo.replace('echo: {routes', 'echo: {cache: {ttl_seconds: 60}, routes');
  const {server, ask} = await operated(context, yaml);
  const chat = async () => (await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST', headers: {'content-type': 'application/json'},
    body: JSON.stringify({model: 'echo', messages: [{role: 'user', content: 'x'}]}),
  })).headers.get('x-backplane-cache');
  assert.deepEqual([await chat(), await chat()], ['miss', 'hit']);
  const {status, json} = await ask('POST', '/admin/cache/clear');
  assert.equal(status, 200);
  assert.equal(json.answers, 1);
  assert.ok(json.bytes > 0);
  assert.equal(await chat(), 'miss');
  assert.equal((await ask('POST', '/admin/cache/clear', {authorization: null})).status, 401);
});

test('the level of the log is read and set', async (context) => {
  const {server, ask, get} = await operated(context);
  assert.deepEqual((await get('/admin/log')).json, {level: 'info'});
  const level = (body) => ask('PUT', '/admin/log', {body});
  assert.deepEqual((await level('{"level": "debug"}')).json, {level: 'debug'});
  await (await chat(server, 'echo')).text();
  await until(() => /debug pipeline: call ended/.test(server.stderr()));
  for (const wrong of ['{"level": "loud"}', '{"level": 1}', 'debug', '',
    '{"level":"info","a":1}']) {
    assert.equal((await level(wrong)).status, 422);
  }
  assert.deepEqual((await get('/admin/log')).json, {level: 'debug'});
});

test('a call is listed, and ended by its id', async (context) => {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(event(chunk({content: 'first'})));
  });
  const {server, ask, get} = await operated(context, `${http}backends: {up: {uses: openai, ` +
    `settings: {base_url: "${up.url}"}}}\nmodels: {m: {routes: [{backend: up}]}}\n`);
  const answer = await streamed(server, {model: 'm', messages: []});
  const {live, calls} = (await get('/admin/calls')).json;
  assert.equal(live, 1);
  const [call] = calls;
  assert.equal(call.id, answer.id);
  assert.deepEqual([call.model, call.operation, call.backend, call.state, call.generation],
    ['m', 'chat.completions', 'up', 'streaming', 1]);
  assert.ok(call.pieces >= 1 && call.age_ms >= 0);
  assert.equal((await get('/admin/routes')).json.backends[0].in_flight, 1);
  assert.deepEqual((await ask('DELETE', `/admin/calls/${call.id}`)).json, {cancelled: 1});
  const {text, complete} = await answer.ended;
  assert.equal(complete, false);
  assert.match(text, /ended by the operator/);
  while ((await get('/admin/calls')).json.live !== 0);
});

test('a reload says what changed, or why nothing did', async (context) => {
  const {server, ask, get} = await operated(context);
  const {readFileSync} = await import('node:fs');
  const first = readFileSync(server.file, 'utf8');
  writeFileSync(server.file, first.replace('piece_bytes: 4', 'piece_bytes: 8'));
  const done = await ask('POST', '/admin/reload');
  assert.equal(done.status, 200);
  assert.deepEqual(done.json,
    {generation: 2, changes: ['backends.echo: changed'], warnings: [], errors: []});
  const answer = await chat(server, 'echo');
  await answer.text();
  assert.equal(answer.headers.get('x-backplane-generation'), '2');
  writeFileSync(server.file, first.replace('piece_bytes', 'pieces_bytes'));
  const failed = await ask('POST', '/admin/reload');
  assert.equal(failed.status, 422);
  assert.equal(failed.json.generation, 2);
  assert.match(failed.json.errors[0], /deploy\.yaml:3:\d+: .*did you mean "piece_bytes"/);
  const status = (await get('/admin/status')).json;
  assert.equal(status.generation, 2);
  assert.deepEqual(status.last_reload.errors, failed.json.errors);
  assert.deepEqual((await get('/admin/plugins')).json.plugins.map((each) => each.generation),
    [1, 2]);
});

test('the endpoint itself is moved by a reload', async (context) => {
  const {server, ask, path} = await operated(context);
  const {readFileSync} = await import('node:fs');
  const moved = join(workdir(context), 'moved.sock');
  writeFileSync(server.file, readFileSync(server.file, 'utf8').replace(path, moved));
  const {status, json} = await ask('POST', '/admin/reload');
  assert.equal(status, 200);
  assert.deepEqual(json.changes, ['admin: changed']);
  const there = await new Promise((resolve) => {
    request({socketPath: moved, path: '/health', agent: false}, resolve).end();
  });
  assert.equal(there.statusCode, 200);
  await assert.rejects(ask('GET', '/health'));
});

test('a drained server takes no more calls and stays', async (context) => {
  const {server, ask, get} = await operated(context);
  assert.equal((await ask('POST', '/admin/drain')).json.state, 'draining');
  assert.equal((await ask('GET', '/ready', {authorization: null})).status, 503);
  assert.equal((await fetch(`${server.url}/ready`)).status, 503);
  assert.equal((await chat(server, 'echo')).status, 503);
  assert.equal((await get('/admin/status')).json.state, 'draining');
  server.process.kill('SIGTERM');
  assert.deepEqual(await server.exited, {code: 0, signal: null});
});
