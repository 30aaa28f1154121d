// SPDX-License-Identifier: Apache-2.0
// The commands an operator types.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {cpSync, mkdirSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'node:test';
import {backplane, echo, model, run, serve, source, workdir, write} from './server.mjs';
import {chunk, event, upstream} from './upstream.mjs';

const plugins = join(dirname(backplane), '../lib/backplane/plugins');

test('check passes every deployment in configs/', () => {
  const folders = {configs: 3, 'configs/providers': 20};
  for (const [folder, least] of Object.entries(folders)) {
    const files = readdirSync(join(source, folder)).filter((name) => name.endsWith('.yaml'));
    assert.ok(files.length >= least);
    for (const file of files) {
      const {status, stderr} = run(['check', '--no-env', join(source, folder, file)]);
      assert.equal(status, 0, `${file}: ${stderr}`);
      assert.doesNotMatch(stderr, /warning/, file);
    }
  }
});

test('explain shows where every model of configs/providers goes', () => {
  const folder = join(source, 'configs/providers');
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const whole = run(['explain', '--no-env', file]);
    assert.equal(whole.status, 0, `${name}: ${whole.stderr}`);
    const models = [.../^models:\n((?: .*\n?)*)/m.exec(whole.stdout)[1].matchAll(/^ {2}(\S.*):/gm)]
      .map(([, quoted]) => quoted.replaceAll('"', ''));
    assert.ok(models.length > 0, name);
    for (const model of models) {
      const {status, stdout, stderr} = run(['explain', '--no-env', file, model]);
      assert.equal(status, 0, `${name}, ${model}: ${stderr}`);
      assert.match(stdout, /^ *1\. \S+ /m, `${name}, ${model}`);
    }
  }
});

test('check tells every error', (context) => {
  const file = write(context, echo.replace('uses: echo', 'uses: ecko').replace('routes', 'rotes'));
  const {status, stderr} = run(['check', file]);
  assert.equal(status, 1);
  assert.match(stderr, /did you mean "echo"/);
  assert.match(stderr, /did you mean "routes"/);
});

test('explain shows defaults, sources and routes, and masks secrets', (context) => {
  const yaml = `transports: {http: {uses: http, settings: {listen: "127.0.0.1:0"}}}
backends: {up: {uses: openai, settings: {base_url: "http://a:hush@h/v1", api_key: {env: TEST_KEY}}}}
models: {m: {routes: [{backend: up, model: other}]}}
`;
  const env = {...process.env, TEST_KEY: 'sk-very-secret'};
  const {status, stdout, stderr} = run(['explain', write(context, yaml), 'm'], {env});
  assert.equal(status, 0, stderr);
  assert.match(stdout, /1\. up .*"other"/);
  const whole = run(['explain', write(context, yaml)], {env});
  assert.doesNotMatch(stdout + whole.stdout, /sk-very-secret|hush/);
  assert.match(whole.stdout, /http:\/\/\*\*\*@h\/v1/);
  assert.match(whole.stdout, /TEST_KEY/);
  assert.match(whole.stdout, /deploy\.yaml:1:\d+/);
  assert.match(whole.stdout, /default/);
  assert.match(whole.stdout, /\*\*\*/);
});

test('schema prints JSON Schemas', () => {
  assert.equal(JSON.parse(run(['schema']).stdout).type, 'object');
  assert.ok(JSON.parse(run(['schema', 'http']).stdout).properties.listen);
  const unknown = run(['schema', 'htp']);
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /did you mean "http"/);
});

test('plugin list, info and check', () => {
  const list = run(['plugin', 'list']);
  for (const name of ['echo', 'openai', 'local', 'http', 'null', 'free']) {
    assert.match(list.stdout, new RegExp(`\\b${name}\\b`));
  }
  const info = run(['plugin', 'info', join(plugins, 'backends/echo.so')]);
  assert.match(info.stdout, /echo/);
  const check = run(['plugin', 'check', join(plugins, 'backends/echo.so')]);
  assert.equal(check.status, 0, check.stdout + check.stderr);
  assert.notEqual(run(['plugin', 'check', '/etc/passwd']).status, 0);
});

test('chat answers once, and line by line', async (context) => {
  const server = await serve(context, echo);
  const url = ['--url', `${server.url}/v1`];
  const once = run(['chat', ...url, '--once', 'hello there']);
  assert.equal(once.stdout, 'hello there\n');
  assert.equal(once.status, 0);
  const lines = run(['chat', ...url], {input: 'one\ntwo\n'});
  assert.equal(lines.stdout, 'one\ntwo\n');
});

// The program over plugin folders of the test's own: `run`'s options for them.
function installed(context, ...plugins) {
  const lib = join(workdir(context), 'lib');
  const folder = join(lib, 'backplane/plugins/backends');
  mkdirSync(folder, {recursive: true});
  cpSync(join(dirname(backplane), '../lib/libbackplane.so.0'), join(lib, 'libbackplane.so.0'),
         {dereference: true});
  const built = join(dirname(backplane), '../tests/runtime/plugin/broken/plugins/backends');
  for (const name of plugins) {
    for (const end of ['.so', '.yaml', '.schema.json']) {
      cpSync(join(built, name + end), join(folder, name + end));
    }
  }
  return {env: {...process.env, LD_LIBRARY_PATH: lib}};
}

test('a plugin brings commands', async (context) => {
  const options = installed(context, 'greeter', 'command_without_run');
  const greeted = run(['greet', 'a', 'b  c', '--help'], installed(context, 'greeter'));
  assert.equal(greeted.stdout, 'bp.log/1 bp.clock/1 hello a b  c --help\n');
  assert.equal(greeted.status, 0, greeted.stderr);
  assert.equal(run(['greet'], installed(context, 'greeter')).status, 2);

  assert.match(run(['--help'], installed(context, 'greeter')).stdout, /\n +greet +Say hello\n/);
  const help = run(['--help'], options).stdout;
  assert.match(help, /\n +greet +is in several plugins\n/);
  assert.match(help, /\n +shout +cannot be used: .*leaves run of the command "shout" null/);
  const twice = run(['greet'], options);
  assert.equal(twice.status, 1);
  assert.match(twice.stderr, /in two plugins, .*command_without_run.so and .*greeter.so; remove/);
  const refused = run(['shout'], options);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /leaves run of the command "shout" null/);

  const waiting = spawn(backplane, ['greet', 'wait'], installed(context, 'greeter'));
  const exited = new Promise((resolve) => {
    waiting.on('exit', (_, signal) => resolve(signal));
  });
  await new Promise((resolve) => waiting.stdout.once('data', resolve));
  waiting.kill('SIGINT');
  assert.equal(await exited, 'SIGINT');
});

test('tokenize prints ids, and says what is wrong', () => {
  const ids = (input, ...options) => {
    const {status, stdout, stderr} = run(['tokenize', ...options, model], {input});
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^\[.*\]\n$/);
    return JSON.parse(stdout);
  };
  assert.deepEqual(ids(''), []);
  assert.ok(ids('Hello there').length > 0);
  assert.ok(ids('<|im_end|>', '--special').length <= ids('<|im_end|>').length);
  assert.match(run(['tokenize', '--help']).stdout, /backplane tokenize .*MODEL/);
  assert.equal(run(['tokenize']).status, 2);
  assert.equal(run(['tokenize', '/nowhere.gguf'], {input: ''}).status, 1);
  const binary = run(['tokenize', model], {input: Buffer.from([0x61, 0xff])});
  assert.equal(binary.status, 1);
  assert.match(binary.stderr, /not UTF-8 at byte 1/);
});

test('a word that is no command gets a clear error', (context) => {
  const {status, stderr} = run(['gret', 'x'], installed(context, 'greeter'));
  assert.equal(status, 2);
  assert.match(stderr, /no command "gret"; there are .*"greet".*; did you mean "greet"\?/);
  assert.equal(run(['']).status, 2);
});

async function hostile(context, write) {
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    write(response);
  });
  const child = spawn(backplane, ['chat', '--url', up.url, '--model', 'm', '--once', 'hi']);
  context.after(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  const status = await new Promise((resolve) => { child.on('close', resolve); });
  return {status, stdout, stderr};
}

test('chat prints nothing that commands a terminal', async (context) => {
  const {status, stdout} = await hostile(context, (response) => {
    response.end(event(chunk({content: 'a\u001b]0;x\u0007\tb\u009b2J\rü\n\u007fc'})) +
      event('[DONE]'));
  });
  assert.equal(status, 0);
  assert.equal(stdout, 'a]0;x\tb2Jü\nc\n');
});

test('chat gives up on a line without end', async (context) => {
  const {status, stderr} = await hostile(context, (response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(1 << 20)));
      response.once('drain', more);
    };
    more();
  });
  assert.equal(status, 1);
  assert.match(stderr, /a line longer than 4 MiB/);
});

test('chat says what is wrong', () => {
  const {status, stderr} = run(['chat', '--url', 'http://127.0.0.1:1/v1', '--once', 'x']);
  assert.equal(status, 1);
  assert.match(stderr, /is the server running/);
});

test('the command line explains itself', () => {
  assert.equal(run(['--help']).status, 0);
  assert.equal(run([]).status, 2);
  assert.equal(run(['serve']).status, 2);
  assert.match(run(['--version']).stdout, /backplane \d+\.\d+\.\d+/);
});
