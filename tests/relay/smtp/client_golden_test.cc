// Runs the transcripts of tests/golden/client (format: README.md there) against ClientSession: the server's
// bytes whole, byte by byte, and split at every point.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "relay/smtp/client_session.h"

namespace relay::smtp {
namespace {

using conf::Instant;

struct Step {
  char kind = 'D';  // 'S' server bytes, 'D' directive
  std::string text;
  std::string client;               // what must have been written after it
  std::vector<std::string> events;  // what must have happened
};

struct Transcript {
  std::string name;
  ClientOptions options;
  std::vector<Step> steps;
  size_t server_bytes = 0;
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

conf::Mailbox mailbox(const std::string& text) {
  conf::Mailbox out;
  const size_t at = text.rfind('@');
  out.local = text.substr(0, at);
  if (at != std::string::npos) out.domain = conf::Domain::from_canonical(text.substr(at + 1));
  return out;
}

void set_option(const std::string& word, ClientOptions* options) {
  if (word == "tls=off")
    options->tls = conf::TlsMode::kOff;
  else if (word == "tls=required")
    options->tls = conf::TlsMode::kRequired;
  else if (word == "tls=opportunistic")
    options->tls = conf::TlsMode::kOpportunistic;
  else if (word == "tls-fallback=on")
    options->tls_fallback = true;
  else if (word == "left-out=STARTTLS")
    options->left_out.add(Extension::kStartTls);
  else if (word.rfind("login=", 0) == 0)
    options->login = {"user@example.com",
                      static_cast<conf::LoginMechanism>(std::string("apLX").find(word[6])), false};
  else if (word == "login-in-clear=on")
    options->login->without_tls = true;
  else if (word == "pipelining=off")
    options->pipelining = false;
  else if (word == "chunking=off")
    options->chunking = false;
  else
    FAIL() << "unknown option " << word;
}

// "begin from=a@b to=c@d notify=success orcpt=... body=Subject:..": words apply to the last recipient named.
Transaction transaction(std::istringstream* words) {
  Transaction out;
  std::string word;
  while (*words >> word) {
    const size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const std::string value = unescape(word.substr(equals + 1));
    if (key == "from")
      out.reverse_path = mailbox(value);
    else if (key == "to")
      out.recipients.push_back({mailbox(value), conf::kNotifyDefault, ""});
    else if (key == "notify")
      out.recipients.back().notify = static_cast<uint8_t>(std::stoi(value));
    else if (key == "orcpt")
      out.recipients.back().orcpt = value;
    else if (key == "ret")
      out.ret = value == "full" ? conf::Ret::kFull : conf::Ret::kHeaders;
    else if (key == "envid")
      out.envid = value;
    else if (key == "8bit")
      out.body_type = conf::BodyType::k8BitMime;
    else if (key == "smtputf8")
      out.smtputf8 = true;
    else if (key == "prefix")
      out.header_prefix = value;
    else if (key == "body")
      out.body = conf::Bytes(value);
    else
      ADD_FAILURE() << "unknown word " << word;
  }
  return out;
}

Transcript load(const std::filesystem::path& path) {
  Transcript out;
  out.name = path.filename();
  out.options.ehlo_name = "relay.example.com";
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    const std::string rest = line.size() > 3 ? line.substr(3) : "";
    if (line.rfind("O: ", 0) == 0) {
      set_option(rest, &out.options);
    } else if (line.rfind("S:", 0) == 0) {
      const bool joins = !out.steps.empty() && out.steps.back().kind == 'S' &&
                         out.steps.back().client.empty() && out.steps.back().events.empty();
      if (!joins) out.steps.push_back({'S', "", "", {}});
      out.steps.back().text += unescape(rest) + "\r\n";
      out.server_bytes += unescape(rest).size() + 2;
    } else if (line.rfind("D: ", 0) == 0) {
      out.steps.push_back({'D', rest, "", {}});
    } else if (line.rfind("C:", 0) == 0 && !out.steps.empty()) {
      out.steps.back().client += unescape(rest) + "\r\n";
    } else if (line.rfind("E: ", 0) == 0 && !out.steps.empty()) {
      out.steps.back().events.push_back(rest);
    } else {
      ADD_FAILURE() << out.name << ": cannot read: " << line;
    }
  }
  return out;
}

std::string describe(const RecipientOutcome& outcome) {
  constexpr const char* kNames[] = {"delivered", "delivered-no-dsn", "refused", "not-tried"};
  std::string out = "  ";
  out += kNames[static_cast<size_t>(outcome.kind)];
  out += " " + std::string(bounce::to_text(outcome.stage)) + " " + std::to_string(outcome.reply.code) + " " +
         outcome.reply.text();
  if (outcome.local) out += " [local]";
  if (outcome.uncertain) out += " [uncertain]";
  return out;
}

class Player {
 public:
  explicit Player(const Transcript& transcript)
      : transcript_(transcript), session_(transcript.options, now_) {}

  // `splits`: where the server's bytes are cut, counted over the whole transcript.
  void play(const std::vector<size_t>& splits) {
    for (const Step& step : transcript_.steps) {
      if (step.kind == 'S') {
        feed(step.text, splits);
      } else {
        direct(step.text);
      }
      drain();
      ASSERT_EQ(written_, step.client) << transcript_.name << " after " << step.text;
      ASSERT_EQ(events_, step.events) << transcript_.name << " after " << step.text;
      written_.clear();
      events_.clear();
    }
  }

 private:
  void feed(const std::string& text, const std::vector<size_t>& splits) {
    size_t begin = 0;
    for (size_t i = 1; i <= text.size(); ++i) {
      if (i < text.size() && !std::binary_search(splits.begin(), splits.end(), offset_ + i)) continue;
      session_.on_written(now_);  // what was written has gone out by the time the server speaks
      session_.receive(std::string_view(text).substr(begin, i - begin), now_);
      drain();
      begin = i;
    }
    offset_ += text.size();
  }

  void direct(const std::string& text) {
    std::istringstream words(text);
    std::string verb, rest;
    words >> verb;
    if (verb == "begin") {
      ASSERT_TRUE(session_.ready());
      session_.begin(transaction(&words), now_);
      return;
    }
    std::getline(words >> std::ws, rest);
    if (verb == "quit")
      session_.quit(now_);
    else if (verb == "tls")
      session_.tls_established(TlsInfo{"TLSv1.3", "x", true, false}, now_);
    else if (verb == "tls-failed")
      session_.tls_failed(rest, now_);
    else if (verb == "secret")
      session_.log_in(rest, now_);
    else if (verb == "no-secret")
      session_.secret_missing(rest);
    else if (verb == "close")
      session_.on_peer_closed(rest, now_);
    else if (verb == "written")
      session_.on_written(now_);
    else if (verb == "timeout") {
      ASSERT_NE(session_.deadline(), conf::kNever);
      now_ = session_.deadline();
      session_.on_deadline(now_);
    } else {
      FAIL() << "unknown directive " << text;
    }
  }

  void drain() {
    written_ += session_.output()->flatten();
    session_.output()->clear();
    ClientEvent event;
    while (session_.next_event(&event, now_)) note(event);
  }

  void note(const ClientEvent& event) {
    switch (event.kind) {
      case ClientEvent::Kind::kNone:
        FAIL() << "an event without a kind";
      case ClientEvent::Kind::kStartTls:
        events_.push_back("start-tls");
        return;
      case ClientEvent::Kind::kSecretWanted:
        events_.push_back("secret-wanted");
        return;
      case ClientEvent::Kind::kReady:
        events_.push_back("ready");
        return;
      case ClientEvent::Kind::kTransactionDone:
        events_.push_back("done");
        for (const RecipientOutcome& outcome : event.outcomes) events_.push_back(describe(outcome));
        return;
      case ClientEvent::Kind::kClosed:
        break;
    }
    std::string text = "closed " + std::string(bounce::to_text(event.stage)) + " " +
                       std::to_string(event.reply.code) + " " + event.reply.text() + event.error;
    if (event.tls_wanted_but_missing) text += " [no-starttls]";
    while (text.back() == ' ') text.pop_back();
    if (event.tls_failed) text += " [tls-failed]";
    if (event.blameless) text += " [blameless]";
    text += learnt();
    events_.push_back(text);
  }

  std::string learnt() const {
    const Lessons& lessons = session_.lessons();
    std::string names;
    constexpr const char* kNames[] = {"PIPELINING", "CHUNKING", "8BITMIME", "SIZE",
                                      "SMTPUTF8",   "DSN",      "STARTTLS", "8BIT"};
    for (size_t i = 0; i < std::size(kNames); ++i) {
      if (lessons.refused.has(static_cast<Extension>(i))) names += std::string(" ") + kNames[i];
    }
    std::string text = names.empty() ? "" : " [refused:" + names + "]";
    if (lessons.wants_tls) text += " [wants TLS]";
    if (lessons.messages_per_connection != 0)
      text += " [messages: " + std::to_string(lessons.messages_per_connection) + "]";
    return text;
  }

  const Transcript& transcript_;
  Instant now_{};
  ClientSession session_;
  size_t offset_ = 0;
  std::string written_;
  std::vector<std::string> events_;
};

std::vector<Transcript> transcripts() {
  std::vector<Transcript> out;
  for (const auto& entry : std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/tests/golden/client")) {
    if (entry.path().extension() == ".txt") out.push_back(load(entry.path()));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

TEST(ClientGolden, ThereAreTranscripts) { EXPECT_GE(transcripts().size(), 20u); }

TEST(ClientGolden, Whole) {
  for (const Transcript& transcript : transcripts()) Player(transcript).play({});
}

TEST(ClientGolden, ByteByByte) {
  for (const Transcript& transcript : transcripts()) {
    std::vector<size_t> splits(transcript.server_bytes);
    for (size_t i = 0; i < splits.size(); ++i) splits[i] = i;
    Player(transcript).play(splits);
  }
}

TEST(ClientGolden, SplitAtEveryPoint) {
  for (const Transcript& transcript : transcripts()) {
    for (size_t at = 1; at < transcript.server_bytes; ++at) {
      Player(transcript).play({at});
      if (HasFatalFailure()) FAIL() << transcript.name << " split at " << at;
    }
  }
}

}  // namespace
}  // namespace relay::smtp
