// SPDX-License-Identifier: Apache-2.0
// Lines of a suite against the exceptions that are written down.

// {name, verdict, line} of "ok|FAIL|NOTE|SKIP name ..." or nothing. `name` tells a suite's way of
// naming a case; by default it is the next word.
export function read_line(line, name = /^(\S+)/) {
  const found = /^(ok|FAIL|NOTE|SKIP) (.*)$/.exec(line);
  if (!found) return undefined;
  return {verdict: found[1], name: name.exec(found[2])?.[1] ?? found[2], line};
}

// What is wrong, in sentences: failures that nobody allowed, allowances that nobody needs, and a
// suite that did not run. `ok_count` is what the suite says of itself, `least` what it must be.
export function judge(results, exceptions, ok_count, least) {
  const failed = new Map();
  for (const result of results) {
    if (result.verdict === 'FAIL') failed.set(result.name, result.line);
  }
  const problems = [];
  for (const [name, line] of failed) {
    if (!Object.hasOwn(exceptions, name)) problems.push(line);
  }
  for (const name of Object.keys(exceptions)) {
    if (!failed.has(name)) problems.push(`${name} passes: take it off exceptions.json`);
  }
  if (!(ok_count >= least)) problems.push(`${ok_count} cases passed, at least ${least} should`);
  return problems;
}
