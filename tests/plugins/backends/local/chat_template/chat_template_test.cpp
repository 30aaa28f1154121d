// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/chat_template/chat_template.hpp"

#include <gtest/gtest.h>

namespace backplane::local {
namespace {

Value example_inputs() {
  const auto message = [](const char* role, const char* content) {
    Object object;
    object.set("role", role);
    object.set("content", content);
    return Value(object);
  };
  Object inputs;
  inputs.set("messages", List{message("user", "hi"), message("assistant", "ho")});
  inputs.set("name", "B\xc3\xa9\"a");
  inputs.set("number", std::int64_t{7});
  inputs.set("nothing", Value::None());
  Object nested;
  nested.set("b", List{Value(std::int64_t{1}), Value(true), Value::None(), Value(0.5)});
  nested.set("a", "x");
  inputs.set("nested", nested);
  return inputs;
}

struct Case {
  const char* source;
  const char* expected;
};

class Renders : public testing::TestWithParam<Case> {};

TEST_P(Renders, TheExpectedText) {
  const auto parsed = ChatTemplate::parse(GetParam().source);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto text = parsed->render(example_inputs(), 1768435200);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, GetParam().expected) << GetParam().source;
}

const Case kExpressions[] = {
    {"plain", "plain"},
    {"{{ 'a' + 'b' ~ 1 }}", "ab1"},
    {"{{ 1 + 2 * 3 - -1 }}", "8"},
    {"{{ 7 // 2 }} {{ 7 / 2 }} {{ 7 % 3 }} {{ -7 // 2 }}", "3 3.5 1 -4"},
    {"{{ name|length }} {{ name | upper }}", "4 B\xc3\xa9\"A"},
    {"{{ nested.b[0] }}{{ nested['a'] }}{{ nested.b[-1] }}", "1x0.5"},
    {"{{ nested }}", "{'b': [1, True, None, 0.5], 'a': 'x'}"},
    {"{{ nested|tojson }}", "{\"b\": [1, true, null, 0.5], \"a\": \"x\"}"},
    {"{{ [1]|tojson(indent=2) }}", "[\n  1\n]"},
    {"{{ 'x' if number == 7 else 'y' }}{{ 'z' if false }}", "x"},
    {"{{ 'h' in 'hi' and not 'u' in 'hi' }} {{ 'k' not in nested }}", "True True"},
    {"{{ missing is defined }} {{ nothing is none }} {{ name is string }}", "False True True"},
    {"{{ missing|default('d') }}{{ missing }}{{ ''|default('e', true) }}", "de"},
    {"{{ '  t '|trim }}{{ 'aXb'.split('X')[1] }}{{ 'ab'.startswith('a') }}", "tbTrue"},
    {"{{ [1, 2, 3][1:] }} {{ 'abc'[::-1] }} {{ 'abc'[:-1] }}", "[2, 3] cba ab"},
    {"{{ messages|map(attribute='role')|join(',') }}", "user,assistant"},
    {"{{ (messages|selectattr('role', 'equalto', 'user')|list)[0].content }}", "hi"},
    {"{{ nested.items()|list|length }}{{ nested.get('q', 'w') }}", "2w"},
    {"{{ {'k': 1}.k }}{{ (1, 2)|last }}{{ range(3)|list }}", "12[0, 1, 2]"},
    {"{{ {1: 'a', 20: 'b'}[20] }}{% for k, v in {1: 'a', 2: 'b'}.items() %}{{ k + 1 }}{{ v }}"
     "{% endfor %}{{ 1 in {1: 2} }}",
     "b2a3bTrue"},
    {"{{ {1: 'a'} }}{{ {1: 'a'}|tojson }}", "{1: 'a'}{\"1\": \"a\"}"},
    {"{{ '<'|safe + '<' ~ '&' }}{{ '<' + '<' }}{{ '\"'|e }}", "<&lt;&amp;<<&#34;"},
    {"{{ [1, 2, 1].count(1) }}{{ ['a'].index('a') }}{% do [1] %}", "20"},
    {"{{ 'a,b'.count(',') }}{{ '12'.isdigit() }}{{ 'ab'.removeprefix('a') }}"
     "{{ 'a\nb'.splitlines() }}",
     "1Trueb['a', 'b']"},
    {"{{ [1, 2]|sum }} {{ 2.567|round(1) }} {{ [1, 0]|select|list|length }}", "3 2.6 1"},
    {"{{ strftime_now('%d %b %Y') }}", "15 Jan 2026"},
};
INSTANTIATE_TEST_SUITE_P(Expressions, Renders, testing::ValuesIn(kExpressions));

const Case kStatements[] = {
    {"{% for m in messages %}{{ loop.index }}{{ m.role }}{% if not loop.last %},{% endif %}"
     "{% endfor %}",
     "1user,2assistant"},
    {"{% for x in [] %}a{% else %}none{% endfor %}", "none"},
    {"{% for k, v in nested.items() if k == 'a' %}{{ k }}{{ v }}{% endfor %}", "ax"},
    {"{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}"
     "{% endif %}{{ i }}{% endfor %}",
     "013"},
    {"{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1"},
    {"{% set n = namespace(c=0) %}{% for i in [1,2] %}{% set n.c = n.c + i %}{% endfor %}{{ n.c }}",
     "3"},
    {"{% if number > 9 %}a{% elif number == 7 %}b{% else %}c{% endif %}", "b"},
    {"{% macro m(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ m('x') }}{{ m(b='1', a='2') }}",
     "<xz><21>"},
    {"{% set t %}a{{ number }}{% endset %}{{ t }}{{ t|length }}", "a72"},
    {"{% macro m(x) %}[{{ caller(x) }}]{% endmacro %}{% for i in [7] %}"
     "{% call(y) m('v') %}{{ y }}{{ i }}{% endcall %}{% endfor %}",
     "[v7]"},
    {"{% filter upper %}ab{% endfilter %}", "AB"},
    {"a  {#- comment -#}  b", "ab"},
    {"  {% if true %}\n  x\n  {% endif %}\ny", "  x\ny"},
    {"a\n  {%- if true -%}\n  b\n{%- endif %}\nc", "abc"},
    {"{{ 'a' -}}\n {{- 'b' }}\n", "ab"},
};
INSTANTIATE_TEST_SUITE_P(Statements, Renders, testing::ValuesIn(kStatements));

const Case kErrors[] = {
    {"a\n{{ ", "line 2"},
    {"{% if %}", "line 1: expected a value"},
    {"\n\n{% for x in y %}", "is not closed by \"endfor\""},
    {"\n{% include 'x' %}", "line 2: the tag \"include\" is not supported"},
    {"{{ 'a' | nofilter }}", "the filter \"nofilter\" is not supported"},
    {"{{ [1].append(2) }}", "lists have no method \"append\" here"},
    {"\n{{ messages|map(attribute='role')|tojson }}", "line 2: what map, select or reject give"},
    {"\n{{ 1 is notest }}", "line 2: the test \"notest\" is not supported"},
    {"{{ nofunction() }}", "the function \"nofunction\" is not supported"},
    {"{{ missing.x }}", "\"x\" is asked of something undefined"},
    {"{{ 1 + 'a' }}", "cannot join"},
    {"{{ 1 // 0 }}", "division by zero"},
    {"{{ raise_exception('roles must alternate') }}", "roles must alternate"},
    {"{% set name.x = 1 %}", "is not a namespace"},
    {"{{ 'abc }}", "a string is not closed"},
    {"{# never", "a comment is not closed"},
    {"{{ range(100000000) }}", "the range is too long"},
    {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "too deeply"},
    {"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
     "it takes too long"},
    {"{% set n = namespace(a='ab') %}{% for i in range(60) %}{% set n.a = n.a + n.a %}{% endfor %}",
     "the text is too long"},
    {"{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}"
     "{{ n.a }}",
     "the text is too long"},
};

TEST(ChatTemplate, ErrorsNameLineAndReason) {
  for (const Case& c : kErrors) {
    const auto parsed = ChatTemplate::parse(c.source);
    const auto text =
        parsed ? parsed->render(example_inputs(), 0) : Result<std::string>(parsed.error());
    ASSERT_FALSE(text) << c.source;
    EXPECT_NE(text.error().message.find(c.expected), std::string::npos)
        << c.source << ": " << text.error().message;
    EXPECT_NE(text.error().message.find("line "), std::string::npos);
  }
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(ChatTemplate, DepthIsBounded) {
  constexpr std::size_t kDeep = 20'000;
  const std::string sources[] = {
      "{{ " + repeated("(", kDeep) + "1" + repeated(")", kDeep) + " }}",
      "{{ a" + repeated(".b", kDeep) + " }}",
      "{{ 1" + repeated("+1", kDeep) + " }}",
      "{{ " + repeated("not ", kDeep) + "1 }}",
      "{{ " + repeated("- ", kDeep) + "1 }}",
      "{{ " + repeated("[", kDeep) + " }}",
      "{{ a" + repeated("|trim", kDeep) + " }}",
      "{{ a" + repeated(" if a else a", kDeep) + " }}",
      repeated("{% if a %}", kDeep),
      repeated("{% for a in b %}", kDeep),
  };
  for (const std::string& source : sources) {
    EXPECT_FALSE(ChatTemplate::parse(source)) << source.substr(0, 20);
  }
  EXPECT_FALSE(ChatTemplate::parse(std::string(kTemplateSourceBytesMax + 1, 'x')));
}

}  // namespace
}  // namespace backplane::local
