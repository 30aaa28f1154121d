// SPDX-License-Identifier: Apache-2.0
// Models from a hub to the disk, and from there into a deployment.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {
  existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import test from 'node:test';
import {entry, noise, startHub} from './hub.mjs';
import {backplane, http, model, run, serve, slow, workdir} from './server.mjs';

const tiny = readFileSync(model);
const MiB = 1 << 20;

// One command of the program, while this process serves the hub: {done, child, stderr()}.
function start(args, environment) {
  const child = spawn(backplane, ['model', ...args], {env: {...process.env, ...environment}});
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  const done = new Promise((resolve) => {
    child.on('close', (status, signal) => resolve({status, signal, stdout, stderr}));
  });
  return {child, done, stderr: () => stderr};
}

// A hub, an empty store, and the commands on both.
async function setUp(context, files, options) {
  const hub = await startHub(context, files, options);
  const root = workdir(context);
  const store = join(root, 'models');
  const environment = {HF_ENDPOINT: hub.url, BACKPLANE_MODELS: store, HOME: root, HF_HOME: root,
    HF_TOKEN: ''};
  const begin = (args, more = {}) => start(args, {...environment, ...more});
  const command = (...args) => begin(args).done;
  return {hub, root, store, environment, begin, command};
}

async function until(condition) {
  const end = Date.now() + 30000 * slow;
  while (!condition()) {
    assert.ok(Date.now() < end, 'it does not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

// Sends the first bytes of what is asked for and then nothing more.
const stall = (bytes) => (request, response, content) => {
  const [, begin] = /^bytes=(\d+)-/.exec(request.headers.range ?? 'bytes=0-');
  const from = Number(begin);
  const headers = request.headers.range
    ? {'content-range': `bytes ${from}-${content.length - 1}/${content.length}`} : {};
  response.writeHead(request.headers.range ? 206 : 200, headers);
  response.write(content.subarray(from, from + bytes));
  return true;
};

test('a model is pulled, listed, inspected, served and removed', async (context) => {
  const files = {'README.md': Buffer.from('words'), 'Tiny-Q8_0.gguf': tiny,
    'Tiny-Q4_0.gguf': noise(5000)};
  const {store, command, environment} = await setUp(context, files);
  const pulled = await command('pull', 'hf:some/tiny:q8_0');
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.match(pulled.stderr, /Tiny-Q8_0\.gguf .* sha256 is right/);
  assert.match(pulled.stdout, /^hf:some\/tiny:Tiny-Q8_0\.gguf  \/.*Tiny-Q8_0\.gguf\n$/);
  assert.ok(readFileSync(join(store, 'some/tiny/Tiny-Q8_0.gguf')).equals(tiny));

  const [listed] = JSON.parse((await command('list', '--json')).stdout);
  assert.equal(listed.name, 'hf:some/tiny:Tiny-Q8_0.gguf');
  assert.equal(listed.bytes, tiny.length);
  assert.equal(listed.type, 'gguf');
  assert.match((await command('list')).stdout, /NAME .*\nhf:some\/tiny:Tiny-Q8_0\.gguf +4\.1 MiB/);
  const info = JSON.parse((await command('info', 'hf:some/tiny', '--json')).stdout);
  assert.equal(info.architecture, 'llama');
  assert.equal(info.type, 'Q8_0');
  assert.equal(info.chat_template, true);

  const tokens = (name) => run(['tokenize', name],
    {input: 'hello', env: {...process.env, ...environment}});
  assert.equal(tokens('hf:some/tiny').stdout, tokens(model).stdout);
  assert.match(tokens('hf:some/other').stderr, /run: backplane model pull hf:some\/other/);

  const again = await command('pull', 'hf:some/tiny:Q8_0');
  assert.equal(again.status, 0);
  assert.match(again.stderr, /everything is there already/);

  const deployment = `${http}backends:
  local: {uses: local, settings: {model: "hf:some/tiny:Q8_0"}}
models: {tiny: {routes: [{backend: local}]}}
`;
  const server = await serve(context, deployment, environment);
  const models = await (await fetch(`${server.url}/v1/models`)).json();
  assert.equal(models.data[0].id, 'tiny');
  server.process.kill();
  await server.exited;

  const asked = start(['rm', 'hf:some/tiny'], environment);
  asked.child.stdin.end('n\n');
  assert.equal((await asked.done).status, 1);
  assert.ok(existsSync(join(store, 'some/tiny/Tiny-Q8_0.gguf')));
  const removed = await command('rm', 'hf:some/tiny', '--yes');
  assert.match(removed.stdout, /removed .* 4\.1 MiB/);
  assert.deepEqual(readdirSync(store), []);
});

test('a deployment that names a model which is not there says how to get it', async (context) => {
  const {environment} = await setUp(context, {});
  const deployment = `${http}backends: {local: {uses: local, settings: {model: "hf:a/b:Q4_0"}}}
models: {tiny: {routes: [{backend: local}]}}
`;
  await assert.rejects(serve(context, deployment, environment),
    /hf:a\/b:Q4_0 is not in the store; run: backplane model pull hf:a\/b:Q4_0/);
});

test('all parts of a split model, from a list of many pages', async (context) => {
  const name = (number) => `Q4_K_M/big-Q4_K_M-0000${number}-of-00003.gguf`;
  const files = {[name(1)]: noise(5000, 1), [name(2)]: noise(6000, 2), 'big-Q4_K.gguf': noise(4),
    [name(3)]: noise(7000, 3)};
  const {store, command} = await setUp(context, files, {pageSize: 1});
  const pulled = await command('pull', 'hf:some/big:Q4_K_M');
  assert.equal(pulled.status, 0, pulled.stderr);
  for (const number of [1, 2, 3]) {
    assert.ok(readFileSync(join(store, 'some/big', name(number))).equals(files[name(number)]));
  }
  assert.ok(!existsSync(join(store, 'some/big/big-Q4_K.gguf')));
  assert.equal(JSON.parse((await command('list', '--json')).stdout)[0].bytes, 18000);
});

test('safetensors come with what belongs to them, checked as git does', async (context) => {
  const files = {'model-00001-of-00002.safetensors': noise(3000, 1), 'README.md': Buffer.from('x'),
    'model-00002-of-00002.safetensors': noise(4000, 2), 'config.json': Buffer.from('{}'),
    'tokenizer.json': Buffer.from('{"a":1}'), 'onnx/model.onnx': noise(9000)};
  const {hub, store, command} = await setUp(context, files);
  const pulled = await command('pull', 'hf:some/folder@refs/pr/1');
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.deepEqual(readdirSync(join(store, 'some/folder@refs%2Fpr%2F1'))
    .filter((name) => !name.startsWith('.')).sort(),
    ['config.json', 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors',
      'tokenizer.json']);
  assert.match((await command('list')).stdout, /hf:some\/folder@refs\/pr\/1 .*safetensors/);

  hub.serve = (request, response, content, path) => {
    if (path !== 'config.json') return false;
    response.end('[]');
    return true;
  };
  const other = await command('pull', 'hf:some/folder');
  assert.equal(other.status, 1);
  assert.match(other.stderr, /config\.json: the bytes that came are not those/);
});

test('ranges of a file come over several connections', async (context) => {
  const files = {'a.gguf': noise(12 * MiB)};
  const {hub, store, command} = await setUp(context, files);
  const held = [];
  hub.serve = (request, response) => {  // nobody is answered before all have asked
    held.push(() => {
      const [, begin, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range).map(Number);
      response.writeHead(206, {'content-range': `bytes ${begin}-${end}/${files['a.gguf'].length}`});
      response.end(files['a.gguf'].subarray(begin, end + 1));
    });
    if (held.length >= 4) held.splice(0).forEach((answer) => answer());
    return true;
  };
  const pulled = await command('pull', 'hf:some/a', '--connections', '4');
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.equal(new Set(hub.requests.map((request) => request.range)).size, 4);
  assert.ok(readFileSync(join(store, 'some/a/a.gguf')).equals(files['a.gguf']));
});

for (const signal of ['SIGKILL', 'SIGINT']) {
  test(`after ${signal} a pull goes on where it was`, async (context) => {
    const files = {'a.gguf': noise(9 * MiB + 123)};
    const {hub, store, begin, command} = await setUp(context, files);
    hub.serve = stall(2 * MiB + 5);
    const first = begin(['pull', 'hf:some/a', '--connections', '2']);
    const pieces = join(store, 'some/a/a.gguf.pieces');
    await until(() => existsSync(pieces) && readFileSync(pieces, 'utf8').split('\n').length >= 6);
    first.child.kill(signal);
    const ended = await first.done;
    if (signal === 'SIGINT') {
      assert.equal(ended.status, 1);
      assert.match(ended.stderr, /run the same command again to go on/);
    } else {
      assert.equal(ended.signal, 'SIGKILL');
    }
    assert.ok(!existsSync(join(store, 'some/a/a.gguf')));
    assert.deepEqual(JSON.parse((await command('list', '--json')).stdout), []);

    hub.serve = () => false;
    hub.sent = 0;
    const second = await command('pull', 'hf:some/a');
    assert.equal(second.status, 0, second.stderr);
    assert.equal(hub.sent, 5 * MiB + 123);
    assert.ok(readFileSync(join(store, 'some/a/a.gguf')).equals(files['a.gguf']));
    assert.ok(!existsSync(pieces) && !existsSync(join(store, 'some/a/a.gguf.part')));
  });
}

test('what an earlier pull left of other content is not used', async (context) => {
  const files = {'a.gguf': noise(3 * MiB, 1)};
  const {hub, store, begin, command} = await setUp(context, files);
  hub.serve = stall(MiB + 5);
  const first = begin(['pull', 'hf:some/a', '--connections', '1']);
  const pieces = join(store, 'some/a/a.gguf.pieces');
  await until(() => existsSync(pieces) && readFileSync(pieces, 'utf8').split('\n').length >= 3);
  first.child.kill('SIGKILL');
  await first.done;
  files['a.gguf'] = noise(3 * MiB, 2);
  hub.serve = () => false;
  const second = await command('pull', 'hf:some/a');
  assert.equal(second.status, 0, second.stderr);
  assert.ok(readFileSync(join(store, 'some/a/a.gguf')).equals(files['a.gguf']));
});

test('connections that are cut, refusals for now and silence are tried again', async (context) => {
  const files = {'a.gguf': noise(4 * MiB)};
  const {hub, store, command} = await setUp(context, files);
  let count = 0;
  hub.serve = (request, response, content) => {
    ++count;
    if (count === 1) {
      stall(100000)(request, response, content);
      response.socket.destroySoon();
      return true;
    }
    if (count === 2) {
      response.writeHead(429, {'retry-after': '1'});
      response.end();
      return true;
    }
    if (count === 3) {
      response.writeHead(503);
      response.end('busy');
      return true;
    }
    return count === 4 ? stall(200000)(request, response, content) : false;
  };
  const pulled = await command('pull', 'hf:some/a', '--connections', '1', '--timeout', '1');
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.equal(count, 5);
  assert.ok(readFileSync(join(store, 'some/a/a.gguf')).equals(files['a.gguf']));
});

test('who fails for ever is given up', async (context) => {
  const {hub, command} = await setUp(context, {'a.gguf': noise(5000)});
  hub.serve = (request, response) => {
    response.writeHead(500);
    response.end('the disk is on fire');
    return true;
  };
  const pulled = await command('pull', 'hf:some/a', '--retries', '1');
  assert.equal(pulled.status, 1);
  assert.match(pulled.stderr, /a\.gguf: the hub answered 500 \(the disk is on fire\)/);
  assert.equal(hub.requests.length, 2);
});

test('a server without ranges serves the whole', async (context) => {
  const files = {'a.gguf': noise(3 * MiB)};
  const {hub, store, command} = await setUp(context, files);
  hub.noRanges = true;
  const pulled = await command('pull', 'hf:some/a', '--connections', '3');
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.match(pulled.stderr, /sends no parts of files/);
  assert.ok(readFileSync(join(store, 'some/a/a.gguf')).equals(files['a.gguf']));
});

test('bytes that were tampered with never get the name of the file', async (context) => {
  const files = {'a.gguf': noise(2 * MiB)};
  const {hub, store, command} = await setUp(context, files);
  hub.list = [entry('a.gguf', Buffer.from(files['a.gguf']), true)];
  files['a.gguf'][MiB + 1] ^= 1;
  const pulled = await command('pull', 'hf:some/a');
  assert.equal(pulled.status, 1);
  assert.match(pulled.stderr, /the bytes that came are not those that the hub promised \(sha256/);
  assert.deepEqual(readdirSync(join(store, 'some/a')), ['.backplane.lock']);
});

test('the token goes to the hub and nowhere else', async (context) => {
  const {hub, root, begin} = await setUp(context, {'a.gguf': noise(3 * MiB)});
  const named = await begin(['pull', 'hf:some/a'], {HF_TOKEN: 'hf_secret'}).done;
  assert.equal(named.status, 0, named.stderr);
  assert.deepEqual(new Set(hub.authorizations.api), new Set(['Bearer hf_secret']));
  assert.deepEqual(new Set(hub.authorizations.store), new Set([null]));
  assert.doesNotMatch(named.stderr + named.stdout, /hf_secret/);

  writeFileSync(join(root, 'token'), 'hf_of_file\n');
  hub.authorizations.api.length = 0;
  assert.equal((await begin(['pull', 'hf:some/a']).done).status, 0);
  assert.deepEqual(new Set(hub.authorizations.api), new Set(['Bearer hf_of_file']));
});

const refusals = [
  [401, {}, /no such repository, or it is private or gated.*set HF_TOKEN/],
  [401, {HF_TOKEN: 'hf_bad'}, /the hub refuses the token \(Gated\).*check HF_TOKEN/],
  [403, {HF_TOKEN: 'hf_bad'}, /accept the terms at http.*some\/a with the account of HF_TOKEN/],
  [404, {}, /hf:some\/a is not at the hub.*check the name and the revision \(main\)/],
];
for (const [status, environment, expected] of refusals) {
  test(`a clear word for ${status} ${Object.keys(environment)}`, async (context) => {
    const {hub, begin} = await setUp(context, {});
    hub.api = (request, response) => {
      response.writeHead(status, {'x-error-message': 'Gated'});
      response.end();
      return true;
    };
    const pulled = await begin(['pull', 'hf:some/a'], environment).done;
    assert.equal(pulled.status, 1);
    assert.match(pulled.stderr, expected);
  });
}

test('a file that is not there: what is', async (context) => {
  const {command} = await setUp(context, {'a-Q8_0.gguf': noise(5000), 'a-Q4_0.gguf': noise(5000)});
  const missing = await command('pull', 'hf:some/a:Q5_K_M');
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /no file is 'Q5_K_M'.*\n  a-Q8_0\.gguf  1 MiB\n  a-Q4_0\.gguf/);
  const open = await command('pull', 'hf:some/a');
  assert.match(open.stderr, /several models, none of them named.*\n  a-Q8_0/);
  assert.equal((await command('pull', 'some/a')).status, 1);
});

test('a disk that is too small is told before the first byte', async (context) => {
  const {hub, command} = await setUp(context, {'a.gguf': noise(5000)});
  hub.list = [entry('a.gguf', noise(5000), true)];
  hub.list[0].lfs.size = 2 ** 43;
  const pulled = await command('pull', 'hf:some/a');
  assert.equal(pulled.status, 1);
  assert.match(pulled.stderr, /needs 8\.0 TiB more, but only .* are free/);
  assert.equal(hub.requests.length, 0);
});

test('two pulls of one repository do not meet', async (context) => {
  const {hub, store, begin, command} = await setUp(context, {'a.gguf': noise(2 * MiB)});
  hub.serve = stall(1000);
  const first = begin(['pull', 'hf:some/a']);
  await until(() => hub.requests.length > 0);
  const second = await command('pull', 'hf:some/a');
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another pull of hf:some\/a is running/);
  first.child.kill('SIGKILL');
  await first.done;
  hub.serve = () => false;
  assert.equal((await command('pull', 'hf:some/a')).status, 0);
  assert.equal(statSync(join(store, 'some/a/a.gguf')).size, 2 * MiB);
});

for (const path of ['../evil.gguf', '/tmp/evil.gguf', 'a/../../evil.gguf', 'a\\evil.gguf',
  '.backplane.json', 'evil\n.gguf']) {
  test(`the name ${JSON.stringify(path)} is refused`, async (context) => {
    const {hub, store, command} = await setUp(context, {'a.gguf': noise(5000)});
    hub.list = [entry(path, noise(5000), true), entry('a.gguf', noise(5000), true)];
    const pulled = await command('pull', 'hf:some/a:a.gguf');
    assert.equal(pulled.status, 1);
    assert.match(pulled.stderr, /the hub's list of files: file name/);
    assert.ok(!existsSync(store));
  });
}

test('a link in the store is not followed', async (context) => {
  const {root, store, command} = await setUp(context, {'sub/a.gguf': noise(5000)});
  const outside = join(root, 'outside');
  mkdirSync(outside);
  mkdirSync(join(store, 'some/a'), {recursive: true});
  symlinkSync(outside, join(store, 'some/a/sub'));
  const pulled = await command('pull', 'hf:some/a');
  assert.equal(pulled.status, 1);
  assert.match(pulled.stderr, /links are not followed/);
  assert.deepEqual(readdirSync(outside), []);
});

test('redirects have an end', async (context) => {
  const {hub, command} = await setUp(context, {'a.gguf': noise(5000)});
  hub.api = (request, response) => {
    if (!request.url.includes('/resolve/')) return false;
    response.writeHead(302, {location: request.url});
    response.end();
    return true;
  };
  const pulled = await command('pull', 'hf:some/a', '--retries', '0');
  assert.equal(pulled.status, 1);
  assert.match(pulled.stderr, /too many redirects/);
  assert.ok(hub.authorizations.api.length < 10);
});

test('a model is converted, measured against its source, and inspected', async (context) => {
  const {root, command} = await setUp(context, {});
  const text = join(root, 'text.txt');
  writeFileSync(text, 'Once upon a time there was a small fox who lived in a wood. '.repeat(40));
  const out = join(root, 'tiny-Q4_K_M.gguf');
  const convert = ['convert', model, out, '--type', 'q4_k', '--context', '64'];
  const made = await command(...convert, '--evaluate', text, '--json');
  assert.equal(made.status, 0, made.stderr);
  const {bits_per_weight: bits, evaluation} = JSON.parse(made.stdout);
  assert.ok(bits > 4.5 && bits < 6, made.stdout);
  assert.ok(evaluation.divergence_mean > 0 && evaluation.divergence_mean < 0.1, made.stdout);
  assert.ok(evaluation.divergence_max >= evaluation.divergence_mean);
  assert.equal(JSON.parse((await command('info', out, '--json')).stdout).type, 'Q4_K');

  assert.match((await command(...convert)).stderr, /exists; give another name, or --force/);
  const onto = await command('convert', out, out, '--type', 'F16', '--force');
  assert.match(onto.stderr, /is the source; give another name/);
  const measured = await command('evaluate', out, text, '--context', '64');
  assert.match(measured.stdout, /^windows, tokens .*\nperplexity +\d/);
  assert.equal((await command('convert', model, join(root, 'x'), '--type', 'Q3_K')).status, 1);
});
