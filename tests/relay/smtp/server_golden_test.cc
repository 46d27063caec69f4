// Runs the transcripts of tests/golden/server (format: README.md there) against ServerSession: the client's
// bytes whole, byte by byte, and split at every point.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "relay/smtp/server_session.h"

namespace relay::smtp {
namespace {

using namespace std::chrono_literals;

struct Step {
  char kind = 'C';  // 'C' client bytes, 'D' an order
  std::string text;
  std::string server;               // what must have been written after it
  std::vector<std::string> events;  // what must have happened
};

struct Transcript {
  std::string name;
  std::vector<std::string> options;
  std::vector<Step> steps;
  size_t client_bytes = 0;
};

std::string unescape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else if (text[++i] == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == 'r' ? '\r' : text[i] == 'n' ? '\n' : text[i];
    }
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

Transcript read(const std::filesystem::path& path) {
  Transcript out;
  out.name = path.filename();
  out.steps.emplace_back();  // before the client says anything
  std::ifstream file(path);
  char last = 'C';
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    EXPECT_GE(line.size(), 2U) << out.name << ": " << line;
    const char kind = line[0];
    const size_t begin = line[1] == '!' ? 4 : 3;
    const std::string text = line.size() > begin ? line.substr(begin) : "";
    if (kind == 'O') {
      out.options.push_back(text);
    } else if (kind == 'C') {
      if (last != 'C') out.steps.emplace_back();
      const std::string bytes = unescape(text) + (line[1] == ':' ? "\r\n" : "");  // "C!" ends as it stands
      out.steps.back().text += bytes;
      out.client_bytes += bytes.size();
    } else if (kind == 'D') {
      out.steps.emplace_back();
      out.steps.back().kind = 'D';
      out.steps.back().text = text;
    } else if (kind == 'S') {
      out.steps.back().server += unescape(text) + "\r\n";
    } else if (kind == 'E') {
      out.steps.back().events.push_back(text);
    } else {
      ADD_FAILURE() << out.name << ": unknown line " << line;
    }
    last = kind;
  }
  return out;
}

// A spool that stores nothing and prints receipts: only a spool can.
struct Receipts : spool::ReceiptPrinter {
  static spool::Receipt of(conf::MessageId id) { return print_receipt(id); }
};

struct Closed final : Gate {
  bool accepting(std::string* why) const override {
    *why = "the disk is full";
    return false;
  }
};

class Player {
 public:
  explicit Player(const Transcript& transcript) : transcript_(transcript) {
    auto config = std::make_shared<conf::Config>();
    config->hostname = "relay.test";
    config->postmaster = "pm@relay.test";
    config->users.push_back({"joe", "$"});
    conf::Listener listener;
    listener.name = "main";
    listener.relay_from.resize(1);
    EXPECT_TRUE(conf::parse_ip("127.0.0.1", &listener.relay_from[0].address));
    ServerOptions options;
    options.client_address = "127.0.0.1";
    for (const std::string& option : transcript.options) set(option, &listener, &options);
    config->listeners.push_back(listener);
    options.config = config;
    options.listener = &config->listeners.front();
    session_ = std::make_unique<ServerSession>(options, now_);
  }

  // Feeds pieces that end at the given points of the client's bytes.
  void play(const std::vector<size_t>& cuts) {
    size_t at = 0;
    bool first = true;
    for (const Step& step : transcript_.steps) {
      if (step.kind == 'D') {
        order(step.text);
        pump();
      } else if (first) {
        pump();
      }
      first = false;
      if (step.kind == 'C') {
        size_t begin = 0;
        while (begin < step.text.size()) {
          const auto next = std::ranges::upper_bound(cuts, at + begin);
          const size_t end = next == cuts.end() ? step.text.size() : std::min(step.text.size(), *next - at);
          const std::string piece = step.text.substr(begin, end - begin);
          session_->receive(piece, now_);
          pump();
          begin = end;
        }
        at += step.text.size();
      }
      ASSERT_EQ(escape(written_), escape(step.server)) << transcript_.name << " after " << escape(step.text);
      ASSERT_EQ(events_, step.events) << transcript_.name << " after " << escape(step.text);
      written_.clear();
      events_.clear();
    }
  }

 private:
  void set(const std::string& option, conf::Listener* listener, ServerOptions* options) {
    const size_t equals = option.find('=');
    const std::string key = option.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    if (key == "tls") {
      options->tls_available = true;
    } else if (key == "implicit") {
      options->tls_available = options->tls_active = true;
    } else if (key == "auth") {
      listener->auth = true;
    } else if (key == "clear-auth") {
      listener->auth = listener->auth_without_tls = true;
    } else if (key == "auth-required") {
      listener->auth_required = true;
    } else if (key == "require-tls") {
      listener->require_tls = true;
    } else if (key == "client") {
      options->client_address = value;
    } else if (key == "convert") {
      listener->bare_newline = conf::BareNewline::kConvert;
    } else if (key == "max-size") {
      listener->max_message_bytes = std::stoull(value);
    } else if (key == "max-recipients") {
      listener->max_recipients = static_cast<uint32_t>(std::stoul(value));
    } else if (key == "max-errors") {
      listener->max_errors = static_cast<uint32_t>(std::stoul(value));
    } else if (key == "max-messages") {
      listener->max_messages_per_connection = static_cast<uint32_t>(std::stoul(value));
    } else if (key == "early") {
      listener->reject_early_talkers = true;
    } else if (key == "delay") {
      listener->greeting_delay = 5s;
    } else if (key == "no-room") {
      options->gate = &closed_;
    } else {
      ADD_FAILURE() << "unknown option " << option;
    }
  }

  void order(const std::string& text) {
    const std::string word = text.substr(0, text.find(' '));
    const std::string rest = text.size() > word.size() ? text.substr(word.size() + 1) : "";
    if (word == "stored") {
      session_->message_stored(Receipts::of(1), now_);
    } else if (word == "refused") {
      session_->message_refused(rest, now_);
    } else if (word == "tls") {
      session_->tls_established({"TLSv1.3", "x", false, false}, now_);
    } else if (word == "auth") {
      session_->auth_result(rest == "good", now_);
    } else if (word == "timeout") {
      now_ = session_->deadline();
      session_->on_deadline(now_);
    } else if (word == "close") {
      session_->on_peer_closed();
    } else if (word == "shutdown") {
      session_->shut_down(now_);
    } else {
      ADD_FAILURE() << "unknown order " << text;
    }
  }

  void pump() {
    ServerEvent event;
    while (session_->next_event(&event, now_)) {
      switch (event.kind) {
        case ServerEvent::Kind::kStartTls:
          events_.push_back("start-tls");
          break;
        case ServerEvent::Kind::kAuthenticate:
          events_.push_back("authenticate " + event.user + " " + event.secret);
          break;
        case ServerEvent::Kind::kBeginMessage:
          body_.clear();
          break;
        case ServerEvent::Kind::kBody:
          body_ += event.bytes;
          break;
        case ServerEvent::Kind::kMessage:
          events_.push_back(message(*event.envelope));
          break;
        case ServerEvent::Kind::kAbortMessage:
          events_.push_back("abort");
          break;
        case ServerEvent::Kind::kClose:
          events_.push_back("close");
          break;
        case ServerEvent::Kind::kNone:
          break;
      }
    }
    written_ += session_->output()->flatten();
    session_->output()->clear();
  }

  std::string message(const conf::Envelope& envelope) const {
    std::string text = "message from=" + envelope.reverse_path.text();
    for (const conf::Recipient& recipient : envelope.recipients) {
      text += " to=" + recipient.mailbox.text();
      if (recipient.notify != 0) text += " notify=" + std::to_string(recipient.notify);
      if (!recipient.orcpt.empty()) text += " orcpt=" + recipient.orcpt;
    }
    if (envelope.ret != conf::Ret::kUnset)
      text += envelope.ret == conf::Ret::kFull ? " ret=full" : " ret=hdrs";
    if (!envelope.envid.empty()) text += " envid=" + envelope.envid;
    if (envelope.body == conf::BodyType::k8BitMime) text += " 8bit";
    if (envelope.smtputf8) text += " smtputf8";
    if (!envelope.authenticated_as.empty()) text += " auth=" + envelope.authenticated_as;
    return text + " body=" + escape(body_);
  }

  const Transcript& transcript_;
  Closed closed_;
  conf::Instant now_{1h};
  std::unique_ptr<ServerSession> session_;
  std::string written_, body_;
  std::vector<std::string> events_;
};

class ServerGolden : public testing::TestWithParam<std::string> {};

TEST_P(ServerGolden, WholeBytewiseAndSplit) {
  const Transcript transcript =
      read(std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tests/golden/server" / GetParam());
  Player(transcript).play({});
  if (HasFatalFailure()) return;
  std::vector<size_t> every;
  for (size_t i = 1; i <= transcript.client_bytes; ++i) every.push_back(i);
  Player(transcript).play(every);
  for (size_t i = 1; i < transcript.client_bytes && !HasFatalFailure(); ++i) Player(transcript).play({i});
}

std::vector<std::string> transcripts() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(PENSTOCK_SOURCE_DIR) /
                                                               "tests/golden/server")) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Transcripts, ServerGolden, testing::ValuesIn(transcripts()), [](const auto& each) {
  std::string name = each.param.substr(0, each.param.find('.'));
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(ServerGoldenFiles, ThereAreMany) { EXPECT_GE(transcripts().size(), 40U); }

}  // namespace
}  // namespace relay::smtp
