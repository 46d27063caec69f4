// Those whom the walk asks and tells, as a test plays them.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dkim/sign_queue.h"
#include "mx/dns/resolver.h"
#include "relay/journal/journal.h"
#include "relay/walk/mail_converter.h"
#include "relay/walk/seven_bit.h"
#include "relay/walk/veto.h"
#include "relay/walk/witness.h"

namespace relay {

// Every domain has the MX host mx.DOMAIN at 127.0.0.1.
class TableOfNames final : public mx::Resolver {
 public:
  void query(std::string_view name, mx::RecordType type, Done done) override {
    asked.emplace_back(name);
    auto answer = std::make_shared<mx::DnsAnswer>();
    answer->canonical_name = name;
    answer->ttl = std::chrono::hours(1);
    answer->status = type == mx::RecordType::kAaaa ? mx::DnsStatus::kNoData : mx::DnsStatus::kOk;
    if (type == mx::RecordType::kMx) {
      const auto host = mx_of.find(std::string(name));
      answer->mx.push_back({10, host == mx_of.end() ? "mx." + std::string(name) : host->second});
    }
    if (type == mx::RecordType::kA) answer->addresses.push_back("127.0.0.1");
    if (failing) {
      *answer = {};
      answer->status = mx::DnsStatus::kFailed;
      answer->detail = "SERVFAIL";
    }
    if (slow) {
      later.push_back([done, answer] { done(answer); });
    } else {
      done(answer);
    }
  }
  // Answers all that was asked, and what is asked then.
  void answer_all() {
    while (!later.empty()) answer_one();
  }
  void answer_one() {
    const std::function<void()> next = std::move(later.front());
    later.pop_front();
    next();
  }
  bool slow = false;
  bool failing = false;
  std::map<std::string, std::string> mx_of;  // instead of "mx." and the name
  std::deque<std::function<void()>> later;
  std::vector<std::string> asked;
};

class EventList final : public journal::Feed {
 public:
  journal::FeedClass feed_class() const override { return journal::FeedClass::kGatesRemoval; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override {
    last_ = sequence;
    all.push_back(event);
  }
  uint64_t through() const override { return last_; }
  std::vector<conf::DeliveryEvent> of(conf::EventKind kind) const {
    std::vector<conf::DeliveryEvent> found;
    for (const conf::DeliveryEvent& each : all) {
      if (each.kind == kind) found.push_back(each);
    }
    return found;
  }
  std::vector<conf::DeliveryEvent> all;

 private:
  uint64_t last_ = 0;
};

// Says no with `reply` to the recipients that are listed.
class List final : public Veto {
 public:
  std::optional<Refusal> refuses(const spool::MessageRecord&,
                                 const spool::RecipientRecord& recipient) const override {
    ++asked;
    if (listed.count(recipient.recipient.mailbox.text()) == 0) return std::nullopt;
    return Refusal{reply, nullptr};
  }
  bounce::Reply reply = bounce::Reply::make(550, "5.7.1 in quarantine");
  std::set<std::string> listed;
  void carried_out(const spool::MessageRecord&, const spool::RecipientRecord&) override { ++carried; }
  mutable size_t asked = 0;
  size_t carried = 0;
};

// Believes no Hard while `doubting`.
class Doubter final : public Witness {
 public:
  bool doubts(const spool::MessageRecord&, const spool::RecipientRecord& recipient,
              const smtp::RecipientOutcome& outcome, const AttemptFacts&, conf::WallTime) override {
    heard.push_back(recipient.recipient.mailbox.text() + ' ' + std::to_string(outcome.reply.code));
    return doubting;
  }
  void recovered(const spool::MessageRecord&, conf::WallTime) override {}
  bool doubting = false;
  std::vector<std::string> heard;
};

// Signs what it is given, as often as `good` says, and then no more.
class FewSignatures final : public dkim::SignQueue {
 public:
  bool enabled() const override { return good >= 0; }
  uint64_t edition() const override { return 1; }
  bool submit(conf::Bytes, Done done) override {
    dkim::SignOutcome outcome;
    outcome.kind = good-- > 0 ? dkim::SignOutcome::Kind::kSigned : dkim::SignOutcome::Kind::kFailed;
    outcome.fields = "DKIM-Signature: x\r\n";
    ready_.emplace_back(std::move(done), std::move(outcome));
    good = std::max(good, 0);
    return true;
  }
  size_t drain_completions() override {
    auto ready = std::exchange(ready_, {});
    for (auto& [done, outcome] : ready) done(std::move(outcome));
    return ready.size();
  }
  int good = -1;  // below 0: nothing is signed

 private:
  std::vector<std::pair<Done, dkim::SignOutcome>> ready_;
};

// Converts when it is asked what is done, and not before.
class LateConverter final : public MailConverter {
 public:
  void submit(conf::Bytes mail, SignedParts, Done done) override {
    waiting_.emplace_back(std::move(mail), std::move(done));
  }
  size_t drain_completions() override {
    if (is_away) return 0;
    auto waiting = std::exchange(waiting_, {});
    for (auto& [mail, done] : waiting) done(to_seven_bit(mail.view(), SignedParts::kKeep));
    return waiting.size();
  }
  size_t waiting() const { return waiting_.size(); }
  bool is_away = false;  // answers nothing

 private:
  std::vector<std::pair<conf::Bytes, Done>> waiting_;
};

}  // namespace relay
