// Runs the transcripts of tests/golden/client (format: README.md there) against ClientSession: the server's
// bytes whole, byte by byte, and split at every point.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "relay/smtp/client_session.h"
#include "tests/relay/smtp/golden.h"

namespace relay::smtp {
namespace {

using conf::Instant;

struct Transcript {
  std::string name;
  ClientOptions options;
  std::vector<GoldenStep> steps;
  size_t octets = 0;  // of the server
};

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
      add_bytes('S', unescape(rest) + "\r\n", &out.steps, &out.octets);
    } else if (line.rfind("D: ", 0) == 0) {
      out.steps.push_back({'D', rest, "", {}});
    } else if (line.rfind("C:", 0) == 0 && !out.steps.empty()) {
      out.steps.back().written += unescape(rest) + "\r\n";
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
    for (const GoldenStep& step : transcript_.steps) {
      if (step.kind == 'S') {
        feed(step.text, splits);
      } else {
        direct(step.text);
      }
      drain();
      ASSERT_EQ(written_, step.written) << transcript_.name << " after " << step.text;
      ASSERT_EQ(events_, step.events) << transcript_.name << " after " << step.text;
      written_.clear();
      events_.clear();
    }
  }

 private:
  void feed(const std::string& text, const std::vector<size_t>& splits) {
    in_pieces(text, splits, offset_, [this](std::string_view piece) {
      session_.on_written(now_);  // what was written has gone out by the time the server speaks
      session_.receive(piece, now_);
      drain();
    });
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
  return transcripts_of(PENSTOCK_SOURCE_DIR "/tests/golden/client", load);
}
void play(const Transcript& transcript, const std::vector<size_t>& splits) {
  Player(transcript).play(splits);
}

TEST(ClientGolden, ThereAreTranscripts) { EXPECT_GE(transcripts().size(), 20u); }

TEST(ClientGolden, Whole) {
  for (const Transcript& transcript : transcripts()) play(transcript, {});
}

TEST(ClientGolden, ByteByByte) { play_byte_by_byte(transcripts(), play); }

TEST(ClientGolden, SplitAtEveryPoint) { play_split_at_every_point(transcripts(), play); }

}  // namespace
}  // namespace relay::smtp
