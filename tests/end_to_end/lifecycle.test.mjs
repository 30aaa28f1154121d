// SPDX-License-Identifier: Apache-2.0
// Starting, refusing to start, draining.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {createServer, connect} from 'node:net';
import {dirname, join} from 'node:path';
import test from 'node:test';
import {backplane, echo, http, model, run, serve, workdir, write} from './server.mjs';
import {until, waiting_stream} from './upstream.mjs';

const deployment = (name, backend) =>
  `${http}backends: {${name}: ${backend}}\nmodels: {m: {routes: [{backend: ${name}}]}}\n`;

test('SIGTERM lets a running stream end, then exits 0', async (context) => {
  const up = await waiting_stream(context);
  const settings = `{base_url: "${up.url}"}`;
  const server = await serve(context, deployment('up', `{uses: openai, settings: ${settings}}`));
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST', headers: {'content-type': 'application/json'},
    body: JSON.stringify({model: 'm', stream: true, messages: []}),
  });
  const reader = answer.body.getReader();
  let text = new TextDecoder().decode((await reader.read()).value);
  server.process.kill('SIGTERM');
  await until(() => /draining/.test(server.stdout()));
  const answers = () => fetch(`${server.url}/health`).then(() => true, () => false);
  while (await answers());  // until no new connection is taken
  up.finish();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += new TextDecoder().decode(part.value);
  }
  assert.match(text, /first[\s\S]*last[\s\S]*\[DONE\]/);
  assert.deepEqual(await server.exited, {code: 0, signal: null});
});

test('SIGTERM lets a slow request come and a slow client take its answer', async (context) => {
  const server = await serve(context, echo);
  const words = 'word '.repeat(1200000);
  const body = JSON.stringify({model: 'echo', messages: [{role: 'user', content: words}]});
  const open = async (sent) => {
    const socket = connect(new URL(server.url).port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => { answer += data; });
    const ended = new Promise((resolve) => { socket.on('close', () => resolve(answer)); });
    socket.on('error', () => {});
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n' +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`);
    await new Promise((resolve) => { socket.write(body.slice(0, sent), resolve); });
    return {socket, ended};
  };
  const reader = await open(body.length);
  await new Promise((resolve) => { reader.socket.once('data', resolve); });
  reader.socket.pause();
  const sender = await open(1000);
  server.process.kill('SIGTERM');
  await until(() => /draining/.test(server.stdout()));
  for (let at = 1000; at < 3000; at += 100) {  // for longer than any connection may idle
    sender.socket.write(body.slice(at, at + 100));
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  sender.socket.write(body.slice(3000));
  reader.socket.resume();
  for (const each of [sender, reader]) {
    const answer = await each.ended;
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.ok(answer.includes(words));
  }
  assert.deepEqual(await server.exited, {code: 0, signal: null});
});

test('an idle server stops at once on SIGINT', async (context) => {
  const server = await serve(context, echo);
  await fetch(`${server.url}/health`);
  server.process.kill('SIGINT');
  assert.deepEqual(await server.exited, {code: 0, signal: null});
});

test('no socket takes the place of a closed standard stream', async (context) => {
  const child = spawn('sh', ['-c', 'exec "$0" serve "$1" 0<&- 2>&-', backplane,
    write(context, echo)]);
  const exited = new Promise((resolve) => { child.on('exit', resolve); });
  context.after(() => child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.on('data', (data) => { stdout += data; });
  await until(() => /models:/.test(stdout), 20000);
  for (const number of [0, 2]) {
    assert.equal(readlinkSync(`/proc/${child.pid}/fd/${number}`), '/dev/null');
  }
  child.kill('SIGTERM');
  assert.equal(await exited, 0);
});

test('a model that is a pipe is refused', (context) => {
  const folder = workdir(context);
  execFileSync('mkfifo', [join(folder, 'm.gguf')]);
  const file = join(folder, 'deploy.yaml');
  writeFileSync(file, deployment('b', '{uses: local, settings: {model: m.gguf}}'));
  const {status, stderr} = run(['serve', file], {timeout: 10000});
  assert.equal(status, 1);
  assert.match(stderr, /backends\.b.*m\.gguf: is not a regular file/);
});

test('a signal ends a start that takes for ever', async (context) => {
  const plugins = join(dirname(backplane), '../tests/runtime/plugin/broken/plugins');
  const yaml = deployment('b', '{uses: create_hangs}') + `plugins: {path: ["${plugins}"]}\n`;
  const child = spawn(backplane, ['serve', write(context, yaml)]);
  const exited = new Promise((resolve) => { child.on('exit', resolve); });
  context.after(() => child.kill('SIGKILL'));
  const maps = () => readFileSync(`/proc/${child.pid}/maps`, 'utf8');
  await until(() => maps().includes('create_hangs'), 20000);
  child.kill('SIGTERM');
  assert.equal(await exited, 1);
});

test('a port in use is named', async (context) => {
  const taken = createServer();
  await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
  context.after(() => taken.close());
  const address = `127.0.0.1:${taken.address().port}`;
  const {status, stderr} = run(['serve', write(context, echo.replace('127.0.0.1:0', address))]);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`transports\\.http.*${address}.*in use`));
});

const refused = [
  ['an unknown plugin', deployment('b', '{uses: ecko}'),
    /deploy\.yaml:3:\d+: backends\.b\.uses: .*ecko.*did you mean "echo"/],
  ['an unknown key', echo.replace('routes', 'route'),
    /deploy\.yaml:4:\d+: models\.echo.*"route".*did you mean "routes"/],
  ['a wrong type', echo.replace('piece_bytes: 4', 'piece_bytes: many'),
    /yaml:3:\d+: backends\.echo\.settings\.piece_bytes: expected integer.*found "many"/],
  ['an unset key', deployment('b',
    '{uses: openai, settings: {base_url: "http://h/v1", api_key: {env: BP_UNSET}}}'),
    /backends\.b\.settings\.api_key.*BP_UNSET.*not set/],
  ['a route to nowhere', echo.replace('{backend: echo}', '{backend: eco}'),
    /models\.echo\.routes\[0\]\.backend.*eco.*did you mean "echo"/],
  ['bad YAML', 'transports: {http: [\n', /deploy\.yaml:\d+:\d+: /],
  ['a missing model file', deployment('b', '{uses: local, settings: {model: none.gguf}}'),
    /backends\.b.*none\.gguf/],
];
for (const [name, yaml, message] of refused) {
  test(`${name} keeps the server from starting and is explained`, (context) => {
    const {status, stderr} = run(['serve', write(context, yaml)]);
    assert.equal(status, 1);
    assert.match(stderr, message);
  });
}

const broken = [
  ['of unknown type', Buffer.from('this is no model at all, only text'), /not a GGUF file|GGUF/],
  ['that is truncated', null, /truncated|ends|beyond/],
];
for (const [name, bytes, message] of broken) {
  test(`a model file ${name} is explained`, async (context) => {
    const {readFileSync} = await import('node:fs');
    const folder = workdir(context);
    writeFileSync(join(folder, 'm.gguf'), bytes ?? readFileSync(model).subarray(0, 300000));
    writeFileSync(join(folder, 'deploy.yaml'),
      deployment('b', '{uses: local, settings: {model: m.gguf}}'));
    const {status, stderr} = run(['serve', join(folder, 'deploy.yaml')]);
    assert.equal(status, 1);
    assert.match(stderr, /backends\.b.*m\.gguf/);
    assert.match(stderr, message);
  });
}
