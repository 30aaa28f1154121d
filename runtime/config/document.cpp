// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/config/line_index.hpp"
#include "runtime/config/scalar.hpp"
#include "runtime/config/suggestion.hpp"
#include "runtime/config/syntax_words.hpp"
#include "runtime/config/text_file.hpp"

namespace backplane::config {
namespace {

constexpr std::string_view kCoreTagPrefix = "tag:yaml.org,2002:";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Thrown through the parser to stop it; never leaves this file.
struct Refusal {
  Position position;
  std::string path;
  std::string message;
};

struct Frame {
  Node node;
  std::string path;
  YAML::anchor_t anchor = YAML::NullAnchor;
  bool has_key = false;
  std::string key;
  Position key_position;
  std::unordered_map<std::string, Position> keys;  // so far
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(LineIndex& lines, Diagnostics& diagnostics)
      : lines_(lines), diagnostics_(diagnostics) {}

  std::optional<Node> take() { return std::move(root_); }
  const std::vector<Frame>& open() const { return frames_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_ || started_) {
      refuse(mark,
             "expected one document, found the start of another; put it in a file of its own");
    }
    started_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) {
      refuse(mark, "expected a key, found nothing; a key is a string");
    }
    Node node;
    node.position = lines_.at(mark.line, mark.column);
    if (!frames_.empty() && frames_.back().has_key) {
      const Position& key = frames_.back().key_position;
      node.position = node.position.line == key.line ? node.position : key;
    }
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) {
      refuse(mark, "expected a key, found an alias; write the key out");
    }
    const auto anchored = anchored_.find(anchor);
    if (anchored == anchored_.end()) {
      refuse(mark, "the alias stands inside what it repeats");
    }
    if (++aliases_ > kAliasesMax) {
      refuse(mark, "more than " + std::to_string(kAliasesMax) + " aliases; write the values out");
    }
    count(mark, count_nodes(anchored->second));
    check_depth(mark, count_levels(anchored->second));
    Node copy = anchored->second;
    copy.position = lines_.at(mark.line, mark.column);
    add(std::move(copy), YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = scalar(mark, tag, value);
    node.position = lines_.at(mark.line, mark.column);
    if (expects_key()) {
      take_key(mark, std::move(node));
      return;
    }
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_collection(mark, tag, "seq", anchor, NodeKind::kSequence);
  }
  void OnSequenceEnd() override { close_collection(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_collection(mark, tag, "map", anchor, NodeKind::kMapping);
  }
  void OnMapEnd() override { close_collection(); }

 private:
  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) {
    throw Refusal{lines_.at(mark.line, mark.column), path_here(), std::move(message)};
  }

  bool expects_key() const {
    return !frames_.empty() && frames_.back().node.is_mapping() && !frames_.back().has_key;
  }

  std::string path_here() const {
    if (frames_.empty()) {
      return "";
    }
    const Frame& frame = frames_.back();
    if (frame.node.is_sequence()) {
      return path_of_item(frame.path, frame.node.items.size());
    }
    return frame.has_key ? path_of_key(frame.path, frame.key) : frame.path;
  }

  void count(const YAML::Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kNodesMax) {
      refuse(mark, "more than " + std::to_string(kNodesMax) +
                       " values with aliases written out; split the file or repeat less");
    }
  }

  void check_depth(const YAML::Mark& mark, std::size_t levels) {
    if (frames_.size() + levels > kDepthMaxLevels) {
      refuse(mark, "nested deeper than " + std::to_string(kDepthMaxLevels) + " levels");
    }
  }

  Node scalar(const YAML::Mark& mark, const std::string& tag, const std::string& value) {
    const bool is_core = tag.compare(0, kCoreTagPrefix.size(), kCoreTagPrefix) == 0;
    const std::string name = is_core ? tag.substr(kCoreTagPrefix.size()) : tag;
    if (name == "!" || name == "str") {
      return make_string(value);
    }
    static const std::map<std::string, NodeKind> kKinds = {{"int", NodeKind::kInteger},
                                                           {"float", NodeKind::kReal},
                                                           {"bool", NodeKind::kBoolean},
                                                           {"null", NodeKind::kNull}};
    const auto wanted = kKinds.find(name);
    if (name != "?" && (!is_core || wanted == kKinds.end())) {
      refuse(mark, "tag " + quote(tag) + " is not supported; leave it out");
    }
    Result<Node> node = resolve_scalar(value);
    if (!node) {
      refuse(mark, node.error().message);
    }
    if (name != "?" && node->kind != wanted->second) {
      refuse(mark, "tag !!" + name + " does not fit the value; leave it out");
    }
    return std::move(*node);
  }

  void take_key(const YAML::Mark& mark, Node key) {
    if (key.kind != NodeKind::kString) {
      const std::string shown = key.text.empty() ? "null" : key.text;
      refuse(mark, "expected a string as key, found " + shown + "; write " + quote(shown));
    }
    if (key.text == "<<") {
      refuse(mark, "merge keys (<<) are not part of YAML 1.2; write the keys out");
    }
    if (find_non_text(key.text) != std::string_view::npos) {
      refuse(mark, "key " + quote(key.text) + " holds a control character");
    }
    frames_.back().has_key = true;
    frames_.back().key = std::move(key.text);
    frames_.back().key_position = std::move(key.position);
  }

  void open_collection(const YAML::Mark& mark, const std::string& tag, std::string_view core,
                       YAML::anchor_t anchor, NodeKind kind) {
    if (expects_key()) {
      refuse(mark, "expected a string as key, found a collection");
    }
    if (tag != "?" && tag != "!" && tag != std::string(kCoreTagPrefix) + std::string(core)) {
      refuse(mark, "tag " + quote(tag) + " is not supported; leave it out");
    }
    check_depth(mark, 1);
    Frame frame;
    frame.node.kind = kind;
    frame.node.position = lines_.at(mark.line, mark.column);
    frame.path = path_here();
    frame.anchor = anchor;
    count(mark, 1);
    frames_.push_back(std::move(frame));
  }

  void close_collection() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    --nodes_;
    add(std::move(frame.node), frame.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    const YAML::Mark here = mark_of(node.position);
    count(here, 1);
    if (anchor != YAML::NullAnchor) {
      count(here, count_nodes(node));
      anchored_[anchor] = node;
    }
    if (frames_.empty()) {
      root_ = std::move(node);
    } else if (frames_.back().node.is_sequence()) {
      frames_.back().node.items.push_back(std::move(node));
    } else {
      add_entry(frames_.back(), std::move(node));
    }
  }

  void add_entry(Frame& frame, Node node) {
    frame.has_key = false;
    const auto [first, is_new] = frame.keys.emplace(frame.key, frame.key_position);
    if (!is_new) {
      diagnostics_.error(
          frame.key_position, frame.path,
          "duplicate key " + quote(frame.key) + "; first defined at " + format(first->second));
      return;
    }
    frame.node.entries.push_back({std::move(frame.key), frame.key_position, std::move(node)});
  }

  static YAML::Mark mark_of(const Position& position) {
    YAML::Mark mark;
    mark.line = position.line - 1;
    mark.column = position.column - 1;
    return mark;
  }

  LineIndex& lines_;
  Diagnostics& diagnostics_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchored_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
  std::size_t aliases_ = 0;
  bool started_ = false;
};

// The parser reports an unclosed bracket at 0:0 of nothing; the bracket itself is the better place.
Position syntax_position(const YAML::Exception& error, const TreeBuilder& builder,
                         LineIndex& lines) {
  const bool unclosed = error.msg.find("flow not found") != std::string::npos;
  if (unclosed) {
    const auto kind =
        error.msg.find("map") != std::string::npos ? NodeKind::kMapping : NodeKind::kSequence;
    for (auto frame = builder.open().rbegin(); frame != builder.open().rend(); ++frame) {
      if (frame->node.kind == kind) {
        return frame->node.position;
      }
    }
  }
  return lines.at(error.mark.line, error.mark.column);
}

// A tab at the start of a line is no indentation, yet the parser takes some for it.
bool check_characters(std::string_view text, LineIndex& lines, Diagnostics& diagnostics) {
  const std::size_t bad = find_non_text(text);
  if (bad != std::string_view::npos) {
    diagnostics.error(lines.at_offset(bad), "",
                      "expected UTF-8 text, found byte " + quote(text.substr(bad, 1)) +
                          "; save the file as UTF-8");
    return false;
  }
  for (std::size_t at = text.find('\t'); at != std::string_view::npos;
       at = text.find('\t', at + 1)) {
    const std::size_t first = text.find_first_not_of("\t ", at);
    const bool is_blank = first == std::string_view::npos || text[first] == '\n' ||
                          text[first] == '\r' || text[first] == '#';
    if (!is_blank && (at == 0 || text[at - 1] == '\n')) {
      diagnostics.error(lines.at_offset(at), "", "tab used as indentation; use spaces");
      return false;
    }
  }
  return true;
}

std::optional<Node> build(std::string_view text, LineIndex& lines, Diagnostics& diagnostics) {
  TreeBuilder builder(lines, diagnostics);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    diagnostics.error(refusal.position, refusal.path, refusal.message);
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    diagnostics.error(syntax_position(error, builder, lines), "", explain_syntax(error.msg));
    return std::nullopt;
  } catch (const std::exception& error) {
    diagnostics.error(lines.at(0, 0), "", std::string("cannot be parsed: ") + error.what());
    return std::nullopt;
  }
  return builder.take();
}

}  // namespace

std::optional<Node> parse_document(const std::string& file, std::string_view text,
                                   Diagnostics& diagnostics) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  LineIndex lines(file, text);
  if (!check_characters(text, lines, diagnostics)) {
    return std::nullopt;
  }
  const std::size_t errors = diagnostics.errors().size();
  std::optional<Node> root = build(text, lines, diagnostics);
  if (diagnostics.errors().size() != errors) {
    return std::nullopt;
  }
  if (!root) {
    diagnostics.error(lines.at(0, 0), "", "the file is empty; expected a mapping");
  }
  return root;
}

std::optional<Node> read_document(const std::string& file, Diagnostics& diagnostics) {
  const Result<std::string> text = read_text_file(file, kDocumentMaxBytes);
  if (!text) {
    diagnostics.error({file, 0, 0}, "", text.error().message);
    return std::nullopt;
  }
  return parse_document(file, *text, diagnostics);
}

}  // namespace backplane::config
