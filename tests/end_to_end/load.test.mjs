// SPDX-License-Identifier: Apache-2.0
// Many streams open at once: each is served, and what they took does not grow.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import test from 'node:test';
import {http, serve} from './server.mjs';
import {chunk, event, until, upstream} from './upstream.mjs';

const streams = 1500;
const sanitized = Number(process.env.BACKPLANE_SLOW ?? 1) > 1;

const resident_mib = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

test('1500 streams open at once end whole, and memory stays', async (context) => {
  const waiting = [];
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(event(chunk({content: 'first'})));
    waiting.push(response);
  });
  const server = await serve(context, `${http}backends:
  up: {uses: openai, max_concurrent: ${streams}, settings: {base_url: "${up.url}"}}
models: {m: {routes: [{backend: up}]}}
`);
  const body = JSON.stringify({model: 'm', stream: true, messages: []});
  const agent = new Agent({maxSockets: Infinity});
  const call = (begun) => new Promise((resolve, reject) => {
    const sent = request(`${server.url}/v1/chat/completions`, {method: 'POST', agent,
      headers: {'content-type': 'application/json'}}, (response) => {
      let text = '';
      response.once('data', begun);
      response.on('data', (data) => { text += data; });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
  const after = [];
  for (let round = 0; round < 4; ++round) {
    let begun = 0;
    const calls = Array.from({length: streams}, () => call(() => { ++begun; }));
    const all = Promise.all(calls);
    await Promise.race([all, until(() => begun === streams, 60000)]);
    assert.equal(waiting.length, streams, 'all are open at once');
    for (const response of waiting.splice(0)) response.end(event('[DONE]'));
    for (const text of await all) assert.match(text, /first[\s\S]*\[DONE\]/);
    after.push(resident_mib(server.process.pid));
  }
  agent.destroy();
  if (!sanitized) assert.ok(after[3] < after[1] + 8, `MiB after each round: ${after}`);
});
