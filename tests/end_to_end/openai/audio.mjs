// SPDX-License-Identifier: Apache-2.0
// audio: speech (bytes and events), transcriptions and translations of a form's file.
import {need, number, one_of, refuse, text} from './errors.mjs';
import {count_tokens, digest, tokens_of} from './text.mjs';

const kTypes = {mp3: 'audio/mpeg', opus: 'audio/opus', aac: 'audio/aac', flac: 'audio/flac',
  wav: 'audio/wav', pcm: 'audio/pcm'};
const kRate = 16000;
const kSamplesPerCharacter = 400;

// One tone per character.
function samples_of(input) {
  const characters = [...input].slice(0, 4096);
  const out = Buffer.alloc(2 * kSamplesPerCharacter * characters.length);
  characters.forEach((character, at) => {
    const step = (character.codePointAt(0) % 64 + 8) / 200;
    for (let i = 0; i < kSamplesPerCharacter; ++i) {
      const sample = Math.round(8000 * Math.sin(i * step));
      out.writeInt16LE(sample, 2 * (at * kSamplesPerCharacter + i));
    }
  });
  return out;
}

export function wav(samples) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(kRate, 24);
  head.writeUInt32LE(2 * kRate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

function* speech_events(input, sound) {
  for (let at = 0; at < sound.length; at += 4096) {
    const audio = sound.subarray(at, at + 4096).toString('base64');
    yield {data: {type: 'speech.audio.delta', audio}};
  }
  const input_tokens = count_tokens(input);
  const output_tokens = Math.ceil(sound.length / 1280);
  const usage = {input_tokens, output_tokens, total_tokens: input_tokens + output_tokens};
  yield {data: {type: 'speech.audio.done', usage}};
}

export function speech({body}, reply) {
  text(body, 'model');
  const input = text(body, 'input');
  need(body, 'voice');
  number(body, 'speed', 0.25, 4);
  const format = one_of(body, 'response_format', Object.keys(kTypes), 'mp3');
  const samples = samples_of(input);
  const sound = format === 'wav' ? wav(samples) : samples;
  if (one_of(body, 'stream_format', ['sse', 'audio'], 'audio') === 'sse') {
    return reply.events(speech_events(input, sound));
  }
  return reply.bytes(200, kTypes[format], sound);
}

// What was "heard" names the file by its length and digest: a test sees whether it came whole.
function heard(form) {
  const file = form.parts.find(({name, filename}) => name === 'file' && filename !== undefined);
  if (!file) refuse("Missing required parameter: 'file'.", 'file', 'missing_required_parameter');
  const said = `heard ${file.content.length} bytes with digest ${digest(file.content)}`;
  return {said, seconds: Math.ceil(file.content.length / (2 * kRate))};
}

function segment_of({said, seconds}) {
  return {id: 0, seek: 0, start: 0, end: seconds, text: said, tokens: [1, 2, 3], temperature: 0,
    avg_logprob: -0.5, compression_ratio: 1, no_speech_prob: 0};
}

function words_of({said, seconds}) {
  const words = said.split(' ');
  const length = seconds / words.length;
  return words.map((word, i) => ({word, start: i * length, end: (i + 1) * length}));
}

function verbose(sound, form) {
  const wanted = form.parts.filter(({name}) => name === 'timestamp_granularities[]')
    .map(({content}) => content.toString());
  return {
    language: 'english', duration: sound.seconds, text: sound.said,
    segments: [segment_of(sound)], ...(wanted.includes('word') ? {words: words_of(sound)} : {}),
    usage: {type: 'duration', seconds: sound.seconds},
  };
}

function clock(seconds, mark) {
  const two = (value) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${two(hours)}:${two(minutes)}:${two(seconds % 60)}${mark}000`;
}

const captions = {
  srt: ({said, seconds}) => `1\n${clock(0, ',')} --> ${clock(seconds, ',')}\n${said}\n\n`,
  vtt: ({said, seconds}) =>
    `WEBVTT\n\n${clock(0, '.')} --> ${clock(seconds, '.')}\n${said}\n\n`,
};

function token_usage({said, seconds}) {
  const input_tokens = 10 * seconds;
  const output_tokens = tokens_of(said).length;
  return {type: 'tokens', input_tokens, output_tokens, total_tokens: input_tokens + output_tokens,
    input_token_details: {text_tokens: 0, audio_tokens: input_tokens}};
}

function* transcript_events(sound) {
  for (const delta of tokens_of(sound.said)) yield {data: {type: 'transcript.text.delta', delta}};
  const done = {type: 'transcript.text.done', text: sound.said, usage: token_usage(sound)};
  yield {data: done};
}

function listen(form, reply, streams) {
  const fields = Object.fromEntries(form.fields);
  const sound = heard(form);
  text(fields, 'model');
  const formats = ['json', 'text', 'srt', 'verbose_json', 'vtt'];
  const format = one_of(fields, 'response_format', formats, 'json');
  if (streams && fields.stream === 'true') return reply.events(transcript_events(sound));
  if (format === 'text') return reply.bytes(200, 'text/plain; charset=utf-8', `${sound.said}\n`);
  if (captions[format]) {
    return reply.bytes(200, 'text/plain; charset=utf-8', captions[format](sound));
  }
  if (format === 'verbose_json') return reply.json(200, verbose(sound, form));
  return reply.json(200, {text: sound.said, usage: token_usage(sound)});
}

export const transcriptions = ({form}, reply) => listen(form, reply, true);
export const translations = ({form}, reply) => listen(form, reply, false);
