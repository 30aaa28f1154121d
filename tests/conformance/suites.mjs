// SPDX-License-Identifier: Apache-2.0
// The suites by name. `run(place, print)` gives the number of cases that passed; `name` is where a
// line has the name of its case; `least` is the number below which a suite has not really run.
// place: {url, address, upstream, suite (its modules), data (its data), left_out, slow, shards()}.
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {check_forms} from './multipart.mjs';
import {check_pass_through} from './pass_through.mjs';

export const kModel = 'conformance';
const key = 'sk-of-a-client';

function settings(place, model) {
  const all = Object.fromEntries(['chat', 'embed', 'image', 'tts', 'stt', 'mod', 'rerank',
    'responses'].map((kind) => [kind, model]));
  return {base: place.url, key, ...all, ft: '-', mcpUrl: '-', skip: place.left_out,
    timeout: 10000 * place.slow};
}

// What no local model answers.
const kOfLocal = {image: '-', tts: '-', stt: '-', mod: '-', responses: '-'};

const passed = (results) => results.filter(({status}) => status === 'ok').length;

async function validate(place, print, more = {}) {
  const {runValidate} = await place.suite('validate.mjs');
  return passed(await runValidate({...settings(place, kModel), ...more}, print));
}

async function clients(place, print, more = {}) {
  const {runClients} = await place.suite('clients.mjs');
  return passed(await runClients({...settings(place, kModel), ...more}, print));
}

// Parts of the vectors at the same time: nearly all of it is waiting.
async function in_shards(place, files, run) {
  const results = await Promise.all(place.shards(files, 12).map((file) => run([file])));
  return results.reduce((sum, {ok}) => sum + ok, 0);
}

export const suites = {
  upstream: {
    least: 60,
    run: (place, print) => validate(place, print,
      {...settings(place, 'upstream-model'), base: place.upstream.url}),
  },
  validate: {least: 50, run: validate},
  clients: {least: 40, run: clients},
  local: {least: 20, local: true, run: (place, print) => validate(place, print, kOfLocal)},
  local_clients: {
    least: 20, local: true, run: (place, print) => clients(place, print, kOfLocal),
  },
  pass_through: {least: 20, run: check_pass_through},
  h1: {
    least: 170,
    async run(place, print) {
      const {runH1} = await place.suite('h1_run.mjs');
      const body = JSON.stringify({model: kModel, input: 'x'});
      return in_shards(place, ['h1/vectors.json', 'llhttp/vectors.json'], (files) => runH1({
        addr: place.address, key, get: '/v1/models', post: '/v1/embeddings', body, files,
        idle: 400 * place.slow, verbose: true,
      }, print));
    },
  },
  h2: {
    least: 50,
    async run(place, print) {
      const {runH2} = await place.suite('h2_run.mjs');
      return in_shards(place, ['h2/vectors.json'],
        (files) => runH2({addr: place.address, files, verbose: true}, print));
    },
  },
  json: {
    least: 400,
    name: /^(\S+ \S+)/,
    async run(place, print) {
      const {runJson} = await place.suite('json_run.mjs');
      const dirs = [join(place.data, 'json')];
      return (await runJson({base: place.url, key, chat: kModel, dirs}, print)).ok;
    },
  },
  multipart: {least: 30, run: check_forms},
  sse: {
    least: 30,
    name: /(\S+) want /,
    run(place, print) {
      const done = spawnSync(process.execPath, [join(place.folder, 'sse_vectors.mjs'), '--cmd',
        process.env.SSE_EVENTS, join(place.data, 'sse/vectors.json')], {encoding: 'utf8'});
      done.stdout.split('\n').forEach((line) => print(line));
      return Number(/^sse ok=(\d+)/m.exec(done.stdout)?.[1]);
    },
  },
};
