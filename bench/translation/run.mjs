// SPDX-License-Identifier: Apache-2.0
// What the translation of a provider's dialect costs a streamed chat, over the plain pass of the
// openai backend: the built program on one loop, between an upstream and clients that stand here.
//   node bench/translation/run.mjs [--program build/release/bin/backplane] [--rounds 40]
// The variants take turns in every round, in another order each time; a ratio is one of a round.
import {spawn} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

const {values} = parseArgs({options: {
  program: {type: 'string', default: 'build/release/bin/backplane'},
  rounds: {type: 'string', default: '40'},
  calls: {type: 'string', default: '120'},
}});
const rounds = Number(values.rounds);
const calls = Number(values.calls);
const clients = 8;
const chunks = 200;  // of an answer

const event = (value) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta, finish = null, more = {}) => event({
  id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1700000000, model: 'm',
  choices: [{index: 0, delta, finish_reason: finish}], ...more});
const words = (name) => Array.from({length: chunks}, () => chunk({[name]: ' word'}));
const usage = {prompt_tokens: 9, completion_tokens: chunks, total_tokens: 9 + chunks};
const tail = [chunk({}, 'stop'),
  event({id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [], usage}),
  'data: [DONE]\n\n'];
const groq = (name) => [chunk({role: 'assistant'}, null, {x_groq: {id: 'req_1', seed: 5}}),
  ...words(name), chunk({}, 'stop', {x_groq: {id: 'req_1', usage}}), 'data: [DONE]\n\n'];

// [name, backend, what the provider sends]
const variants = [
  ['plain', 'plain', [chunk({role: 'assistant'}), ...words('content'), ...tail]],
  ['groq', 'groq', groq('content')],
  ['groq, all of it reasoning', 'groq', groq('reasoning')],
  ['venice', 'venice', [chunk({role: 'assistant'}), ...words('content'), ...tail]],
];
const yaml = (port) => `limits: {loops: 1}
transports: {http: {uses: http, settings: {listen: "127.0.0.1:0"}}}
log: {level: "off"}
backends:
${[['plain', 'openai', ''], ['groq', 'groq', ', models_refresh_seconds: 0'], ['venice', 'venice',
    ', models_refresh_seconds: 0, venice_parameters: {include_venice_system_prompt: false}']]
    .map(([name, uses, more]) => `  ${name}: {uses: ${uses}, settings: ` +
      `{base_url: "http://127.0.0.1:${port}/v1"${more}}}\n`).join('')}models:
${variants.map(([, backend], i) => `  v${i}: {routes: [{backend: ${backend}, model: v${i}}]}\n`)
    .join('')}`;

// Answers with the stream of the model that is asked for: at once, or a chunk at a time.
async function upstream() {
  const self = {in_pieces: false};
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n' +
    'transfer-encoding: chunked\r\n\r\n';
  const framed = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
  const answers = variants.map(([, , pieces]) => [head, ...pieces.map(framed), '0\r\n\r\n']);
  const wholes = answers.map((pieces) => Buffer.from(pieces.join('')));
  const server = createServer((socket) => {
    let text = '';
    socket.setNoDelay(true).on('error', () => {});
    socket.setEncoding('latin1').on('data', (data) => {
      text += data;
      const end = text.indexOf('\r\n\r\n');
      const size = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + size) return;
      const index = Number(/"model":"v(\d)"/.exec(text)[1]);
      text = '';
      if (!self.in_pieces) return socket.write(wholes[index]);
      let at = 0;
      const go_on = () => {
        if (at === answers[index].length) return;
        socket.write(answers[index][at++], () => setImmediate(go_on));
      };
      go_on();
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return Object.assign(self, {port: server.address().port, close: () => server.close()});
}

async function gateway(port, folder) {
  const file = join(folder, 'deploy.yaml');
  writeFileSync(file, yaml(port));
  const child = spawn(values.program, ['serve', file], {stdio: ['ignore', 'pipe', 'inherit']});
  const listening = await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      const found = /listening on [^\n]*:(\d+)\n/.exec(String(data));
      if (found) resolve(Number(found[1]));
    });
    child.on('exit', () => reject(new Error('the program ended')));
  });
  return {child, port: listening};
}

// Of all its threads, in microseconds.
function cpu_us(pid) {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).reduce((sum, task) =>
    sum + Number(readFileSync(join(folder, task, 'schedstat'), 'utf8').split(' ')[0]), 0) / 1000;
}

// What a client of Groq and of Venice may send alike; some of it has another name there.
const body = (index) => JSON.stringify({
  model: `v${index}`, stream: true, max_tokens: chunks, temperature: 0.5,
  messages: [{role: 'system', content: 'Be brief. '.repeat(20)},
    {role: 'user', content: 'hello'},
    {role: 'assistant', content: 'hello', reasoning_content: 'a greeting'},
    {role: 'user', content: 'Tell me about the sea. '.repeat(20)}]});

function call(port, agent, sent) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request({port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST',
      agent, headers: {'content-type': 'application/json', 'content-length': sent.length}});
    asked.on('error', reject).on('response', (answer) => {
      let last = '';
      answer.setEncoding('latin1').on('data', (data) => { last = data; }).on('end', () => {
        if (answer.statusCode === 200 && last.endsWith('data: [DONE]\n\n')) {
          return resolve(performance.now() - begun);
        }
        return reject(new Error(`status ${answer.statusCode}: ${last}`));
      });
    });
    asked.end(sent);
  });
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

// CPU of a call in the program, and how long it took a client, of one variant in one round.
async function turn({child, port}, agent, index) {
  const sent = body(index);
  const took = [];
  const before = cpu_us(child.pid);
  await Promise.all(Array.from({length: clients}, async () => {
    for (let i = 0; i < calls / clients; i += 1) took.push(await call(port, agent, sent));
  }));
  return {cpu_us: (cpu_us(child.pid) - before) / took.length, took_ms: median(took)};
}

function spread(ratios) {
  const sorted = [...ratios].sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)].toFixed(3);
  return `${at(0.5)} (${at(0.1)} to ${at(0.9)})`;
}

const folder = mkdtempSync(join(tmpdir(), 'backplane-bench-'));
const up = await upstream();
const program = await gateway(up.port, folder);
const agent = new Agent({keepAlive: true, maxSockets: clients});
console.log('| provider | stream | CPU of a call | CPU to plain | time to plain |');
console.log('|---|---|---|---|---|');
for (const in_pieces of [false, true]) {
  up.in_pieces = in_pieces;
  const seen = variants.map(() => []);
  for (let round = -2; round < rounds; round += 1) {
    for (let i = 0; i < variants.length; i += 1) {
      const index = (i + round + 2) % variants.length;
      const done = await turn(program, agent, index);
      if (round >= 0) seen[index].push(done);
    }
  }
  for (const [index, [name]] of variants.entries()) {
    const to_plain = (what) => spread(seen[index].map((of, i) => of[what] / seen[0][i][what]));
    console.log(`| ${name} | ${in_pieces ? 'a chunk at a time' : 'at once'} | ` +
      `${median(seen[index].map((of) => of.cpu_us)).toFixed(0)} µs | ` +
      `${index === 0 ? '1' : to_plain('cpu_us')} | ${index === 0 ? '1' : to_plain('took_ms')} |`);
  }
}
program.child.kill('SIGKILL');
agent.destroy();
up.close();
rmSync(folder, {recursive: true});
