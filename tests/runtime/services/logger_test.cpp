// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/logger.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <functional>

namespace backplane::test {
namespace {

std::string written(LogFormat format, const std::function<void(Logger&)>& body,
                    LogLevel level = LogLevel::kDebug) {
  testing::internal::CaptureStderr();
  {
    Logger logger(level, format);
    body(logger);
  }
  return testing::internal::GetCapturedStderr();
}

bool is_json(const std::string& text) {
  simdjson::dom::parser parser;
  return parser.parse(text).error() == simdjson::SUCCESS;
}

const std::vector<std::string>& hostile() {
  static const std::vector<std::string> kTexts = {
      "plain",
      "line\nbreak\r\n",
      "quote\" back\\slash",
      std::string("nul\0bell\a escape\x1B[31m", 20),
      "delete\x7F",
      "caf\xC3\xA9 \xF0\x9F\x98\x80",
      "cut \xC3",
      "lone \x80 overlong \xC0\x80 surrogate \xED\xA0\x80",
      "{} %v %s",
      std::string(20'000, 'a'),
      std::string(20'000, '\n'),
  };
  return kTexts;
}

TEST(Logger, OneLineWhateverComes) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    for (const std::string& text : hostile()) {
      SCOPED_TRACE(text.substr(0, 40));
      const std::string line = written(format, [&](Logger& logger) {
        logger.write(LogLevel::kInfo, text, text, {{text, text}, {"name", text}});
      });
      EXPECT_EQ(line.find('\n'), line.size() - 1);
      EXPECT_LE(line.size(), 8192U);
      for (const char character : line.substr(0, line.size() - 1)) {
        EXPECT_FALSE(static_cast<unsigned char>(character) < 0x20 || character == 0x7F);
      }
      EXPECT_TRUE(format == LogFormat::kText || is_json(line)) << line;
      EXPECT_TRUE(simdjson::validate_utf8(line));
    }
  }
}

TEST(Logger, ManyFieldsAreCutToALine) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = written(format, [](Logger& logger) {
      const std::string value(1000, '"');
      const std::vector<LogField> fields(32, {"field", value});
      logger.write(LogLevel::kInfo, "runtime", "message", fields);
    });
    EXPECT_LE(line.size(), 8192U);
    EXPECT_NE(line.find("message"), std::string::npos);
    EXPECT_TRUE(format == LogFormat::kText || is_json(line)) << line;
  }
}

TEST(Logger, JsonSaysWhatWasSaid) {
  const std::string line = written(LogFormat::kJson, [](Logger& logger) {
    logger.write(LogLevel::kWarn, "backends.a", "it \"fails\"", {{"request_id", "r\n1"}});
  });
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  ASSERT_EQ(parser.parse(line).get(document), simdjson::SUCCESS) << line;
  EXPECT_EQ(std::string_view(document["level"]), "warn");
  EXPECT_EQ(std::string_view(document["component"]), "backends.a");
  EXPECT_EQ(std::string_view(document["message"]), "it \"fails\"");
  EXPECT_EQ(std::string_view(document["request_id"]), "r\n1");
  EXPECT_EQ(std::string_view(document["time"]).size(), 24U);
}

TEST(Logger, TextIsReadable) {
  const std::string line = written(LogFormat::kText, [](Logger& logger) {
    logger.write(LogLevel::kError, "runtime", "it fails", {{"file", "a b"}});
  });
  EXPECT_EQ(line.substr(25), "error runtime: it fails file=\"a b\"\n") << line;
}

TEST(Logger, LevelsBelowAreSilent) {
  const LogLevel levels[] = {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError};
  for (const LogLevel least : levels) {
    const std::string lines = written(
        LogFormat::kText,
        [&](Logger& logger) {
          for (const LogLevel level : levels) {
            EXPECT_EQ(logger.enabled(level), level >= least);
            logger.write(level, "c", "m");
          }
        },
        least);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4 - static_cast<int>(least));
  }
}

}  // namespace
}  // namespace backplane::test
