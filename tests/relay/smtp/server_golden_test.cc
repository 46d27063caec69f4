// Runs the transcripts of tests/golden/server (format: README.md there) against ServerSession: the client's
// bytes whole, byte by byte, and split at every point.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/relay/smtp/golden.h"
#include "tests/relay/smtp/server_rig.h"

namespace relay::smtp {
namespace {

struct Transcript {
  std::string name;
  conf::Config config = test_config();
  std::string client = std::string(kFriend);
  std::string gate;
  bool tls = false;
  std::vector<GoldenStep> steps;
  size_t octets = 0;  // of the client
};

std::string escape(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '\r')
      out += "\\r";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else if (octet < 32 || octet > 126)
      out += std::string("\\x") + kHex[octet >> 4] + kHex[octet & 15];
    else
      out += c;
  }
  return out;
}

void set_option(const std::string& word, Transcript* to) {
  conf::Listener& listener = to->config.listeners.front();
  const size_t equals = std::min(word.find('='), word.size());
  const std::string key = word.substr(0, equals);
  const std::string value = equals < word.size() ? word.substr(equals + 1) : "";
  const auto number = [&value] { return static_cast<uint32_t>(std::stoul(value)); };
  if (key == "client")
    to->client = value == "stranger" ? std::string(kStranger) : value;
  else if (key == "tls")
    to->tls = true;
  else if (key == "require-tls")
    listener.require_tls = true;
  else if (key == "auth")
    listener.auth = true;
  else if (key == "auth-required")
    listener.auth_required = true;
  else if (key == "auth-without-tls")
    listener.auth_without_tls = true;
  else if (key == "convert")
    listener.bare_newline = conf::BareNewline::kConvert;
  else if (key == "add-headers")
    listener.add_missing_headers = true;
  else if (key == "reject-early-talkers")
    listener.reject_early_talkers = true;
  else if (key == "greeting-delay")
    listener.greeting_delay = std::chrono::seconds(number());
  else if (key == "max-size")
    listener.max_message_bytes = number();
  else if (key == "max-recipients")
    listener.max_recipients = number();
  else if (key == "max-errors")
    listener.max_errors = number();
  else if (key == "max-messages")
    listener.max_messages_per_connection = number();
  else if (key == "postmaster")
    to->config.postmaster = value;
  else if (key == "tolerant")
    listener.tolerance = value == "no" ? conf::Tolerance::kStrict : conf::Tolerance::kTolerant;
  else if (key == "refuse-nul")
    listener.nul = conf::NulOctets::kRefuse;
  else if (key == "max-line")
    listener.max_line_bytes = number();
  else if (key == "max-hops")
    listener.max_hops = number();
  else if (key == "gate")
    to->gate = value;
  else
    ADD_FAILURE() << to->name << ": unknown option " << word;
}

Transcript load(const std::filesystem::path& path) {
  Transcript out;
  out.name = path.filename();
  out.steps.push_back({'D', "start", "", {}});
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    const std::string rest = line.size() > 3 ? line.substr(3) : "";
    if (line.rfind("O: ", 0) == 0) {
      set_option(rest, &out);
    } else if (line.rfind("C:", 0) == 0) {
      add_bytes('C', unescape(rest) + "\r\n", &out.steps, &out.octets);
    } else if (line.rfind("c: ", 0) == 0) {
      add_bytes('C', unescape(rest), &out.steps, &out.octets);
    } else if (line.rfind("D: ", 0) == 0) {
      out.steps.push_back({'D', rest, "", {}});
    } else if (line.rfind("S: ", 0) == 0) {
      out.steps.back().written += unescape(rest) + "\r\n";
    } else if (line.rfind("E: ", 0) == 0) {
      out.steps.back().events.push_back(rest);
    } else {
      ADD_FAILURE() << out.name << ": cannot read: " << line;
    }
  }
  return out;
}

class Player {
 public:
  explicit Player(const Transcript& transcript)
      : transcript_(transcript), rig_(transcript.config, transcript.client, transcript.tls) {
    rig_.gate.reason = transcript.gate;
  }

  // `splits`: where the client's bytes are cut, counted over the whole transcript.
  void play(const std::vector<size_t>& splits) {
    for (const GoldenStep& step : transcript_.steps) {
      if (step.kind == 'C') {
        feed(step.text, splits);
      } else {
        direct(step.text);
      }
      ASSERT_EQ(rig_.take_written(), step.written) << transcript_.name << " after " << step.text;
      ASSERT_EQ(rig_.take_events(), step.events) << transcript_.name << " after " << step.text;
    }
  }

 private:
  void feed(const std::string& text, const std::vector<size_t>& splits) {
    in_pieces(text, splits, offset_, [this](std::string_view piece) { rig_.feed(piece); });
    offset_ += text.size();
  }

  void direct(const std::string& text) {
    std::istringstream words(text);
    std::string verb, rest;
    words >> verb;
    std::getline(words >> std::ws, rest);
    if (verb == "start") return rig_.start();
    if (verb == "timeout") {
      ASSERT_NE(rig_.session->deadline(), conf::kNever);
      return rig_.wait_for_deadline();
    }
    if (verb == "stored") return rig_.store(std::stoull(rest));
    if (verb == "trace") return trace();
    if (verb == "envelope") return envelope();
    if (verb == "body") {
      rig_.events.push_back("  " + escape(rig_.body));
      return;
    }
    ServerSession& session = *rig_.session;
    if (verb == "refused")
      session.message_refused(rest, rig_.now);
    else if (verb == "tls")
      session.tls_established(TlsInfo{"TLSv1.3", "TLS_AES_256_GCM_SHA384", false, false}, rig_.now);
    else if (verb == "auth")
      session.auth_result(rest == "good"      ? AuthOutcome::kGood
                          : rest == "busy"    ? AuthOutcome::kBusy
                          : rest == "limited" ? AuthOutcome::kLimited
                                              : AuthOutcome::kWrong,
                          rig_.now);
    else if (verb == "close")
      session.on_peer_closed();
    else if (verb == "shutdown")
      session.shut_down(rig_.now);
    else if (verb == "wait")
      rig_.now += std::chrono::seconds(std::stoi(rest));
    else
      FAIL() << "unknown directive " << text;
    rig_.drain();
  }

  void trace() {
    const conf::WallTime wall = conf::from_unix_micros(1'795'514'400'000'000);  // 2026-11-24 10:00:00 UTC
    std::istringstream lines(rig_.session->trace_field(42, wall) + rig_.session->missing_headers(42, wall));
    for (std::string line; std::getline(lines, line);) rig_.events.push_back("  " + escape(line + "\n"));
  }

  void envelope() {
    static constexpr const char* kRet[] = {"unset", "full", "hdrs"};
    const conf::Envelope& e = rig_.envelope;
    std::string text = std::string("  body=") + (e.body == conf::BodyType::k7Bit ? "7bit" : "8bitmime");
    if (e.smtputf8) text += " smtputf8";
    text += std::string(" ret=") + kRet[static_cast<size_t>(e.ret)] + " envid=" + escape(e.envid);
    if (!e.authenticated_as.empty()) text += " user=" + e.authenticated_as;
    rig_.events.push_back(text);
    for (const conf::Recipient& each : e.recipients) {
      rig_.events.push_back("  <" + escape(each.mailbox.text()) + "> notify=" + std::to_string(each.notify) +
                            " orcpt=" + escape(each.orcpt));
    }
  }

  const Transcript& transcript_;
  ServerRig rig_;
  size_t offset_ = 0;
};

std::vector<Transcript> transcripts() {
  return transcripts_of(PENSTOCK_SOURCE_DIR "/tests/golden/server", load);
}
void play(const Transcript& transcript, const std::vector<size_t>& splits) {
  Player(transcript).play(splits);
}

TEST(ServerGolden, ThereAreTranscripts) { EXPECT_GE(transcripts().size(), 40u); }

TEST(ServerGolden, Whole) {
  for (const Transcript& transcript : transcripts()) play(transcript, {});
}

TEST(ServerGolden, ByteByByte) { play_byte_by_byte(transcripts(), play); }

TEST(ServerGolden, SplitAtEveryPoint) { play_split_at_every_point(transcripts(), play); }

}  // namespace
}  // namespace relay::smtp
