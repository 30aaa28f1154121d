// SPDX-License-Identifier: Apache-2.0
// SIGHUP, and one process after another at the same address.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {request} from 'node:http';
import {connect, createServer} from 'node:net';
import {dirname, join} from 'node:path';
import test from 'node:test';
import {backplane, echo, serve, slow, workdir} from './server.mjs';
import {chunk, event, until, upstream, waiting_stream} from './upstream.mjs';

const patience = 20000 * slow;

const chat = (port, body) => new Promise((resolve, reject) => {
  const sent = request({port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions',
    agent: false, headers: {'content-type': 'application/json'}}, (response) => {
    let text = '';
    response.on('data', (data) => { text += data; });
    response.on('end', () =>
      resolve({status: response.statusCode, headers: response.headers, text}));
    response.on('error', reject);
  });
  sent.on('error', reject);
  sent.end(JSON.stringify({messages: [{role: 'user', content: 'hello'}], ...body}));
});

// A port that nobody has at the moment.
async function free_port() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('SIGHUP reads the file again', async (context) => {
  const server = await serve(context, echo);
  const first = readFileSync(server.file, 'utf8');
  writeFileSync(server.file, first.replace('models: {echo:', 'models: {other:'));
  server.process.kill('SIGHUP');
  await until(() => /reloaded; generation 2 serves/.test(server.stdout()), patience);
  assert.equal((await chat(server.port, {model: 'other'})).headers['x-backplane-generation'], '2');
  assert.equal((await chat(server.port, {model: 'echo'})).status, 404);
  writeFileSync(server.file, `${first}nonsense: 1\n`);
  server.process.kill('SIGHUP');
  await until(() => /reload failed.*generation 2 serves/.test(server.stdout()), patience);
  assert.match(server.stderr(), /deploy\.yaml:5:1: .*unknown key.*nonsense/);
  assert.equal((await chat(server.port, {model: 'other'})).status, 200);
  server.process.kill('SIGTERM');
  assert.deepEqual(await server.exited, {code: 0, signal: null});
});

// Processes that serve one file at one path, one after the other.
function line_of_processes(context, folder) {
  const file = join(folder, 'deploy.yaml');
  const path = join(folder, 'handover.sock');
  const begin = () => {
    const child = spawn(backplane, ['serve', file, '--handover', path]);
    const process = {child, stdout: '', stderr: '', pid: child.pid};
    child.stdout.on('data', (data) => { process.stdout += data; });
    child.stderr.on('data', (data) => { process.stderr += data; });
    process.exited = new Promise((resolve) => {
      child.on('exit', (code, signal) => resolve({code, signal}));
    });
    context.after(async () => {
      child.kill('SIGKILL');
      await process.exited;
    });
    return process;
  };
  const ready = async (process) => {
    await until(() => /models:/.test(process.stdout) || process.child.exitCode !== null, patience);
    assert.match(process.stdout, /models:/, process.stderr);
    return process;
  };
  return {file, path, begin, serving: () => ready(begin())};
}

// Of a plugin whose `create` never returns.
function hanging_plugin() {
  const folder = join(dirname(backplane), '../tests/runtime/plugin/broken/plugins');
  const file = join(folder, 'backends/create_hangs.so');
  assert.ok(existsSync(file), `no ${file}: build the target broken_plugins`);
  return folder;
}

// Calls without a pause, each on a connection of its own, until stopped or the test has ended.
function load(context, port, body) {
  const seen = {served: 0, lost: [], pids: new Set()};
  let stopping = false;
  const one = async () => {
    while (!stopping) {
      try {
        const {status, text} = await chat(port, body);
        if (status === 200 && text.includes('hello')) seen.served += 1;
        else seen.lost.push(`${status} ${text}`);
      } catch (error) {
        seen.lost.push(String(error));
      }
    }
  };
  const clients = [one(), one(), one()];
  seen.stop = async () => {
    stopping = true;
    await Promise.all(clients);
  };
  context.after(seen.stop);
  return seen;
}

test('processes take over from each other without a call lost', async (context) => {
  const folder = workdir(context);
  const port = await free_port();
  const {file, path, serving} = line_of_processes(context, folder);
  const yaml = (pieces) => echo.replace(':0"', `:${port}"`).replace('s: 4', `s: ${pieces}`) +
    `admin: {listen: "unix:${join(folder, 'admin.sock')}", token: abcdefgh}\n`;
  writeFileSync(file, yaml(1));
  let process = await serving();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const clients = load(context, port, {model: 'echo'});
  for (let turn = 2; turn <= 6; turn += 1) {
    writeFileSync(file, yaml(turn));
    const next = await serving();
    assert.match(next.stdout, new RegExp(`taking over from process ${process.pid}`));
    assert.deepEqual(await process.exited, {code: 0, signal: null});
    assert.match(process.stdout, /another process serves; draining\nstopped/);
    process = next;
    const before = clients.served;
    await until(() => clients.served > before + 10 || clients.lost.length > 0, patience);
    assert.deepEqual(clients.lost, []);
  }
  await clients.stop();
  assert.deepEqual(clients.lost, []);
  assert.ok(existsSync(join(folder, 'admin.sock')));
  process.child.kill('SIGTERM');
  assert.deepEqual(await process.exited, {code: 0, signal: null});
  assert.ok(!existsSync(path));
});

test('a stream that runs ends in the process that it began in', async (context) => {
  const up = await waiting_stream(context);
  const port = await free_port();
  const {file, serving} = line_of_processes(context, workdir(context));
  writeFileSync(file,
    `transports: {http: {uses: http, settings: {listen: "127.0.0.1:${port}"}}}\n` +
    `backends: {up: {uses: openai, settings: {base_url: "${up.url}"}}}\n` +
    'models: {m: {routes: [{backend: up}]}}\n');
  const first = await serving();
  const answer = chat(port, {model: 'm', stream: true});
  await until(() => up.requests.length > 0, patience);
  await serving();
  await until(() => /draining/.test(first.stdout), patience);
  up.finish();
  assert.match((await answer).text, /first[\s\S]*last[\s\S]*\[DONE\]/);
  assert.deepEqual(await first.exited, {code: 0, signal: null});
});

test('a successor that fails or dies leaves the server as it was', async (context) => {
  const port = await free_port();
  const {file, path, begin, serving} = line_of_processes(context, workdir(context));
  const yaml = echo.replace(':0"', `:${port}"`);
  writeFileSync(file, yaml);
  const first = await serving();
  const clients = load(context, port, {model: 'echo'});

  writeFileSync(file, yaml.replace('{uses: echo', '{uses: ecko'));
  assert.deepEqual(await begin().exited, {code: 1, signal: null});

  writeFileSync(file, yaml.replace('piece_bytes', 'pieces'));
  assert.deepEqual(await begin().exited, {code: 1, signal: null});

  const hangs = '{hangs: {uses: create_hangs}, echo: {uses';
  writeFileSync(file, `${yaml.replace('{echo: {uses', hangs)}` +
    `plugins: {path: ["${hanging_plugin()}"]}\n`);
  const hanging = begin();
  await until(() => /taking over/.test(hanging.stdout), patience);
  await until(() => readFileSync(`/proc/${hanging.pid}/maps`, 'utf8').includes('create_hangs'),
    patience);
  hanging.child.kill('SIGKILL');
  await hanging.exited;
  await until(() => /did not take over.*; serving on/.test(first.stderr), patience);

  const before = clients.served;
  await until(() => clients.served > before + 10 || clients.lost.length > 0, patience);
  writeFileSync(file, yaml);
  const last = await serving();
  assert.deepEqual(await first.exited, {code: 0, signal: null});
  await clients.stop();
  assert.deepEqual(clients.lost, []);
  assert.ok(existsSync(path));
  last.child.kill('SIGTERM');
  assert.deepEqual(await last.exited, {code: 0, signal: null});
});

test('a path that is no socket is refused', async (context) => {
  const {file, path, begin} = line_of_processes(context, workdir(context));
  writeFileSync(file, echo);
  writeFileSync(path, 'precious');
  const process = begin();
  assert.deepEqual(await process.exited, {code: 1, signal: null});
  assert.match(process.stderr, /--handover .*no socket; remove it or choose another path/);
  assert.equal(readFileSync(path, 'utf8'), 'precious');
});

test('SIGHUPs without end are one reload after another', async (context) => {
  const server = await serve(context, echo);
  const clients = load(context, server.port, {model: 'echo'});
  const reloads = () => server.stdout().split('reloaded; generation').length - 1;
  for (let sent = 0; sent < 2000; sent += 1) {
    server.process.kill('SIGHUP');
    if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => reloads() > 0, patience);
  const first = readFileSync(server.file, 'utf8');
  writeFileSync(server.file, first.replace('models: {echo:', 'models: {last: {routes: ' +
    '[{backend: echo}]}, echo:'));
  server.process.kill('SIGHUP');
  const until_served = async () => {
    while ((await chat(server.port, {model: 'last'})).status !== 200);
  };
  await until_served();
  for (let sent = 0; sent < 100; sent += 1) server.process.kill('SIGHUP');
  await clients.stop();
  assert.deepEqual(clients.lost, []);
  server.process.kill('SIGTERM');
  for (let sent = 0; sent < 100; sent += 1) server.process.kill('SIGHUP');
  assert.deepEqual(await server.exited, {code: 0, signal: null});
});

// Its plugin hangs in create, as one does that loads a large model.
test('a process drains although a reload hangs', async (context) => {
  const up = await waiting_stream(context);
  const {file, path, serving} = line_of_processes(context, workdir(context));
  const port = await free_port();
  const yaml =
    `transports: {http: {uses: http, settings: {listen: "127.0.0.1:${port}"}}}\n` +
    'models: {m: {routes: [{backend: up}]}}\n' +
    `backends: {up: {uses: openai, settings: {base_url: "${up.url}"}}`;
  writeFileSync(file, `${yaml}}\n`);
  const process = await serving();
  const answer = chat(port, {model: 'm', stream: true});
  await until(() => up.requests.length > 0, patience);
  writeFileSync(file, `${yaml}, hangs: {uses: create_hangs}}\n` +
    `plugins: {path: ["${hanging_plugin()}"]}\n`);
  process.child.kill('SIGHUP');
  await until(() => readFileSync(`/proc/${process.pid}/maps`, 'utf8').includes('create_hangs'),
    patience);
  assert.equal((await chat(port, {model: 'none'})).status, 404);  // it serves meanwhile
  process.child.kill('SIGTERM');
  await until(() => !existsSync(path), patience);
  const refused = () => chat(port, {model: 'none'}).then(() => false, () => true);
  while (!await refused());
  up.finish();
  assert.match((await answer).text, /first[\s\S]*last[\s\S]*\[DONE\]/);
  process.child.kill('SIGTERM');
  assert.deepEqual(await process.exited, {code: 1, signal: null});
});

test('a predecessor whose stream has no end ends when its drain_ms are over', async (context) => {
  let begun = false;
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(event(chunk({content: 'first'})));
    begun = true;
  });
  const port = await free_port();
  const {file, serving} = line_of_processes(context, workdir(context));
  writeFileSync(file,
    `transports: {http: {uses: http, settings: {listen: "127.0.0.1:${port}"}}}\n` +
    `backends: {up: {uses: openai, settings: {base_url: "${up.url}"}}}\n` +
    'models: {m: {routes: [{backend: up}]}}\nlimits: {drain_ms: 300}\n');
  const first = await serving();
  let text = '';
  const answer = request({port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions',
    headers: {'content-type': 'application/json'}}, (response) => {
    response.on('data', (data) => { text += data; });
    response.on('error', () => {});  // a stream that ends by an error has no last chunk
  });
  answer.end(JSON.stringify({model: 'm', stream: true, messages: [{role: 'user', content: 'a'}]}));
  await until(() => begun, patience);
  await serving();
  await until(() => /first[\s\S]*SHUTTING_DOWN/.test(text), patience);
  assert.deepEqual(await first.exited, {code: 0, signal: null});
});

test('what else comes to the path of the handover does no harm', async (context) => {
  const {file, path, begin, serving} = line_of_processes(context, workdir(context));
  const port = await free_port();
  writeFileSync(file, echo.replace(':0"', `:${port}"`));
  const killed = await serving();
  killed.child.kill('SIGKILL');
  await killed.exited;
  assert.ok(existsSync(path));  // nobody listens there any more
  const process = await serving();
  for (const bytes of ['', 'GET / HTTP/1.1\r\n\r\n', 'backplane 2\n', 'backplane 1\n',
    'backplane 1\nnonsense\n', Buffer.alloc(100000)]) {
    await new Promise((resolve) => {
      const socket = connect(path);
      socket.on('error', () => {});
      socket.on('close', resolve);
      socket.resume();
      socket.end(bytes);
    });
  }
  assert.equal((await chat(port, {model: 'echo'})).status, 200);
  assert.equal(process.child.exitCode, null);

  const both = [begin(), begin()];
  for (const each of both) {
    await until(() => /models:/.test(each.stdout) || each.child.exitCode !== null, patience);
  }
  assert.deepEqual(await process.exited, {code: 0, signal: null});
  const late = both.filter((each) => each.child.exitCode === 1);
  assert.ok(late.length <= 1);
  for (const each of late) assert.match(each.stderr, /cannot pass listening sockets/);
  assert.equal((await chat(port, {model: 'echo'})).status, 200);
});
