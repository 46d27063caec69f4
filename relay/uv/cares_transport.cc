#include "relay/uv/cares_transport.h"

#include <ares.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "mx/dns/dns_answer.h"
#include "relay/uv/cares_channel.h"
#include "relay/uv/question_case.h"

namespace relay::uv {

namespace {

constexpr size_t kQuestionsPerChannel = 16;  // then the ports are others

mx::DnsStatus status_of(int status, std::string_view raw) {
  if (!raw.empty()) return mx::DnsStatus::kOk;                 // a response arrived, even if it says no
  if (status == ARES_EBADNAME) return mx::DnsStatus::kNoName;  // no name server can know it
  return status == ARES_ETIMEOUT ? mx::DnsStatus::kTimeout : mx::DnsStatus::kFailed;
}

bool is_server_failure(std::string_view raw) {  // SERVFAIL (RFC 1035 §4.1.1)
  return raw.size() > 3 && (static_cast<unsigned char>(raw[3]) & 0x0fU) == 2;
}

// Why no answer came, in words.
std::string words_of(int status, const std::vector<std::string>& servers) {
  std::string asked;
  for (const std::string& server : servers) asked += (asked.empty() ? " (" : ", ") + server;
  if (!asked.empty()) asked += ')';
  switch (status) {
    case ARES_ETIMEOUT:
      return "no name server answered in time" + asked;
    case ARES_ECONNREFUSED:
      return "no name server can be reached" + asked;
    case ARES_EBADRESP:
      return "no name server gave an answer that can be read" + asked;
    case ARES_EBADNAME:
      return "no name server can know such a name";
    default:
      return ares_strerror(status);
  }
}

}  // namespace

struct CaresTransport::State {
  struct Question {
    std::string name, sent;  // `sent`: in the case that went out
    mx::RecordType type = mx::RecordType::kA;
    Done done;
    size_t first_server = 0;
    uint32_t rounds = 0;  // over all servers, that are done
    bool tcp = false;
    std::string doubtful;  // the answer by UDP whose case was another
  };
  using QuestionPtr = std::shared_ptr<Question>;
  using Kind = std::pair<size_t, bool>;  // first server, by TCP

  Loop* loop = nullptr;
  conf::DnsSettings settings;
  std::map<Kind, std::unique_ptr<CaresChannel>> channels;
  std::vector<std::unique_ptr<CaresChannel>> retired;
  bool asking = false;     // inside ask(): answers wait until it has returned
  bool mixes_case = true;  // until a server is met that does not send back what it got
  bool echo_seen = false;
  bool cleaning = false;

  // Null: no channel can be opened now.
  CaresChannel* channel_for(const Kind& kind) {
    std::unique_ptr<CaresChannel>& slot = channels[kind];
    if (slot != nullptr && slot->asked() >= kQuestionsPerChannel) {
      conf::Result<std::unique_ptr<CaresChannel>> fresh = open_channel(kind);
      if (!fresh.ok()) return slot.get();
      retired.push_back(std::move(slot));
      slot = std::move(fresh).value();
      clean_later();
    }
    if (slot == nullptr) {
      conf::Result<std::unique_ptr<CaresChannel>> fresh = open_channel(kind);
      if (fresh.ok()) slot = std::move(fresh).value();
    }
    return slot.get();
  }

  conf::Result<std::unique_ptr<CaresChannel>> open_channel(const Kind& kind) {
    return CaresChannel::open(loop, {settings, kind.first, kind.second});
  }

  // Never inside an answer of theirs.
  void clean_later() {
    if (std::exchange(cleaning, true)) return;
    loop->post([weak = std::weak_ptr<State>(self.lock())] {
      const std::shared_ptr<State> state = weak.lock();
      if (state == nullptr) return;
      state->cleaning = false;
      std::erase_if(state->retired, [](const auto& channel) { return channel->under_way() == 0; });
    });
  }

  void ask(const QuestionPtr& question) {
    CaresChannel* channel = channel_for({question->first_server, question->tcp});
    if (channel == nullptr) {
      finish(question, mx::DnsStatus::kFailed, {}, "no socket to ask a name server with");
      return;
    }
    question->sent = mixes_case ? with_random_case(question->name) : question->name;
    channel->ask(question->sent, static_cast<int>(question->type),
                 [this, question](int status, std::string_view raw) { answered(question, status, raw); });
  }

  void answered(const QuestionPtr& question, int status, std::string_view raw) {
    if (!retired.empty()) clean_later();
    if (!raw.empty() && !case_is_right(question, raw)) return;  // asked again
    if (raw.empty() && !question->doubtful.empty() && !echo_seen) {
      // No server has ever sent back our case, and there is no TCP: it is not told apart from a forged
      // answer.
      mixes_case = false;
      finish(question, mx::DnsStatus::kOk, question->doubtful, {});
      return;
    }
    // A failure, and what cannot be read, are no answer: another server may have one (RFC 1034 §5.3.3, 4d).
    const bool good = !raw.empty() && mx::parse_dns_answer(raw, question->name, question->type).status !=
                                          mx::DnsStatus::kFailed;
    if (!good && question->first_server + 1 < settings.servers.size()) {
      ++question->first_server;
      question->tcp = false;
      ask(question);
      return;
    }
    // Whoever could not find out may be able to in a moment.
    if (is_server_failure(raw) && ++question->rounds < settings.tries) {
      question->first_server = 0;
      question->tcp = false;
      ask(question);
      return;
    }
    // Of several that were left c-ares does not say which one answered.
    const bool is_known = question->first_server + 1 == settings.servers.size();
    finish(question, status_of(status, raw), raw,
           raw.empty() ? words_of(status, settings.servers)
           : is_known  ? settings.servers.back()
                       : "");
  }

  bool case_is_right(const QuestionPtr& question, std::string_view raw) {
    const Echo echo = echo_of(raw, question->sent);
    if (echo == Echo::kSame) {
      if (question->sent != question->name) echo_seen = true;
      return true;
    }
    if (question->tcp) {  // not forged; one that shows the name in another case folds it
      if (echo == Echo::kOtherCase) mixes_case = false;
      return true;
    }
    question->tcp = true;
    if (echo == Echo::kOtherCase) question->doubtful = raw;  // the other kind is never taken by UDP
    ask(question);
    return false;
  }

  void finish(const QuestionPtr& question, mx::DnsStatus status, std::string_view raw,
              std::string_view detail) {
    if (!asking) {
      const Done done = std::move(question->done);
      done(status, raw, detail);
      return;
    }
    loop->post([question, status, copy = std::string(raw), why = std::string(detail)] {
      question->done(status, copy, why);
    });
  }

  std::weak_ptr<State> self;
};

conf::Result<std::unique_ptr<mx::DnsTransport>> CaresTransport::open(Loop* loop,
                                                                     const conf::DnsSettings& settings) {
  auto state = std::make_shared<State>();
  state->self = state;
  state->loop = loop;
  state->settings = settings;
  conf::Result<std::unique_ptr<CaresChannel>> first = state->open_channel({0, false});
  if (!first.ok()) return first.error();
  if (state->settings.servers.empty()) state->settings.servers = (*first)->servers();
  state->channels[{0, false}] = std::move(first).value();
  return std::unique_ptr<mx::DnsTransport>(new CaresTransport(std::move(state)));
}

CaresTransport::CaresTransport(std::shared_ptr<State> state) : state_(std::move(state)) {}

CaresTransport::~CaresTransport() {
  state_->channels.clear();
  state_->retired.clear();
}

void CaresTransport::ask(const std::string& name, mx::RecordType type, Done done) {
  auto question = std::make_shared<State::Question>();
  question->name = name;
  question->type = type;
  question->done = std::move(done);
  state_->asking = true;
  state_->ask(question);
  state_->asking = false;
}

}  // namespace relay::uv
