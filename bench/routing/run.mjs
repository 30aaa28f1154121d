// SPDX-License-Identifier: Apache-2.0
// What clients notice when one provider of three dies or becomes ten times slower while they call:
// upstreams and clients here, over real connections, the built program between them. Streams that
// a dying provider leaves go on at another one (`failover: continue`).
//   node bench/routing/run.mjs [--program build/test/bin/backplane] [--rate 150] [--seconds 20]
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {Agent, createServer, request} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

const {values} = parseArgs({options: {
  program: {type: 'string', default: 'build/test/bin/backplane'},
  rate: {type: 'string', default: '150'},
  seconds: {type: 'string', default: '20'},
}});
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const first_token_ms = 100;
const token_ms = 10;
const tokens = 10;

const event = (delta, finish = null) => `data: ${JSON.stringify({
  id: '1', object: 'chat.completion.chunk', created: 1, model: 'm',
  choices: [{index: 0, delta, finish_reason: finish}]})}\n\n`;

// A provider that streams ten tokens; `slower` stretches its times, `die` takes it off the network.
async function provider() {
  const self = {slower: 1, requests: 0};
  const server = createServer((incoming, response) => {
    let asked = '';
    incoming.setEncoding('utf8').on('data', (data) => { asked += data; });
    self.requests += 1;
    response.on('error', () => {});
    const say = (count) => {
      if (response.destroyed) return;
      if (!response.headersSent) response.writeHead(200, {'content-type': 'text/event-stream'});
      if (count < tokens) {
        response.write(event({content: 'word '}));
        setTimeout(() => say(count + 1), token_ms * self.slower);
      } else {
        response.end(event({}, 'stop') + 'data: [DONE]\n\n');
      }
    };
    // Words that are there already are not said again.
    incoming.on('end', () => {
      const said = asked.split('word ').length - 1;
      setTimeout(() => say(said), first_token_ms * self.slower);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  self.port = server.address().port;
  self.die = () => {
    server.close();
    server.closeAllConnections();
  };
  return self;
}

async function gateway(policy, hedge, providers, folder) {
  const names = providers.map((_, index) => `p${index}`);
  const file = join(folder, 'deploy.yaml');
  writeFileSync(file, `transports: {http: {uses: http, settings: {listen: "127.0.0.1:0"}}}
log: {level: "off"}
backends:
${names.map((name, index) => `  ${name}: {uses: openai, settings: ` +
    `{base_url: "http://127.0.0.1:${providers[index].port}/v1"}}\n`).join('')}
models:
  m: {policy: ${policy}, failover: continue, ${hedge}
      routes: [${names.map((name) => `{backend: ${name}}`)}]}
`);
  const child = spawn(values.program, ['serve', file], {stdio: ['ignore', 'pipe', 'inherit']});
  const port = await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      const found = /listening on [^\n]*:(\d+)\n/.exec(String(data));
      if (found) resolve(Number(found[1]));
    });
    child.on('exit', () => reject(new Error('the program ended')));
  });
  return {child, port};
}

const body = JSON.stringify({
  model: 'm', stream: true, max_tokens: tokens, messages: [{role: 'user', content: 'go on'}]});

// One call: how long it took, whether it came whole, and whether its stream had begun.
function call(port, agent) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const done = (whole, has_begun = false, text = '') =>
      resolve({begun, took: performance.now() - begun, whole, has_begun,
        is_continued: text.includes('x_backplane')});
    const sent = request({port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST',
      agent, headers: {'content-type': 'application/json', 'content-length': body.length}});
    sent.on('error', () => done(false));
    sent.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (data) => { text += data; });
      answer.on('close', () => {
        const is_whole = text.endsWith('[DONE]\n\n') && text.split('"word "').length - 1 === tokens;
        done(answer.statusCode === 200 && is_whole, answer.statusCode === 200, text);
      });
      answer.on('error', () => {});
    });
    sent.end(body);
  });
}

function p99(calls) {
  const sorted = calls.map(({took}) => took).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
}

async function measure(policy, hedge, fault) {
  const folder = mkdtempSync(join(tmpdir(), 'backplane-bench-'));
  const providers = await Promise.all([provider(), provider(), provider()]);
  const {child, port} = await gateway(policy, hedge, providers, folder);
  const agent = new Agent({keepAlive: true, maxSockets: Infinity});
  const calls = [];
  const start = performance.now();
  const broken_at = start + seconds * 500;
  let is_broken = false;
  for (let sent = 0; performance.now() < start + seconds * 1000;) {
    if (!is_broken && performance.now() >= broken_at) {
      is_broken = true;
      if (fault === 'dies') providers[0].die();
      else providers[0].slower = 10;
    }
    // As many as are due by now: a slow answer holds up nobody.
    for (const due = (performance.now() - start) / 1000 * rate; sent < due; ++sent) {
      calls.push(call(port, agent));
    }
    await new Promise((resolve) => { setTimeout(resolve, 1); });
  }
  const all = await Promise.all(calls);
  child.kill('SIGKILL');
  agent.destroy();
  for (const each of providers) each.die();
  rmSync(folder, {recursive: true});

  const warm = start + seconds * 100;
  const before = all.filter(({begun}) => begun >= warm && begun < broken_at - 1000);
  const usual = p99(before);
  const soon = all.filter(({begun}) => begun >= broken_at && begun < broken_at + 2000);
  const after = all.filter(({begun}) => begun >= broken_at + 2000);
  const failed = all.filter(({whole, has_begun}) => !whole && !has_begun).length;
  const cut = all.filter(({whole, has_begun}) => !whole && has_begun).length;
  const continued = all.filter(({is_continued}) => is_continued).length;
  return [hedge === '' ? policy : `${policy}, hedged`, fault, all.length, failed, cut, continued,
    `${((failed + cut) / all.length * 100).toFixed(2)} %`,
    ...[usual, p99(soon), p99(after)].map((ms) => `${ms.toFixed(0)} ms`),
    (p99(after) / usual).toFixed(2)];
}

const head = ['policy', 'a provider', 'calls', 'failed', 'cut in their middle', 'gone on elsewhere',
  'clients see', 'p99 before',
  'p99 in the 2 s after', 'p99 from then on', 'to before'];
console.log(`| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}`);
const hedged = 'hedge: {percent: 5}, ';
const policies = ['fastest', 'least_busy', 'weighted', 'ordered'];
for (const [policy, hedge, fault] of [
  ...policies.flatMap((policy) => [[policy, '', 'dies'], [policy, '', 'slows']]),
  ...policies.map((policy) => [policy, hedged, 'slows']),
]) {
  console.log(`| ${(await measure(policy, hedge, fault)).join(' | ')} |`);
}
