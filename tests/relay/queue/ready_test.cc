// The fair queue of a path, by examples and against a model that only knows lists.
#include "relay/queue/ready.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/random.h"

namespace relay::queue {
namespace {

class Mail {
 public:
  Delivery* make(uint32_t domain, uint32_t sender) {
    all_.push_back(std::make_unique<Delivery>());
    Delivery* made = all_.back().get();
    made->id = all_.size();
    made->domain = domain;
    made->sender = sender;
    return made;
  }

 private:
  std::vector<std::unique_ptr<Delivery>> all_;
};

TEST(ReadyQueue, AnEmptyOneGivesNothing) {
  ReadyQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.front(), nullptr);
  EXPECT_EQ(queue.pop_front(), nullptr);
  EXPECT_EQ(queue.oldest(), nullptr);
}

TEST(ReadyQueue, ALargeSenderDelaysASmallOneByOneTurn) {
  Mail mail;
  ReadyQueue queue;
  for (int i = 0; i < 10'000; ++i) queue.push_back(mail.make(1, 100));
  for (int i = 0; i < 10; ++i) queue.push_back(mail.make(1, 200));
  int of_small = 0;
  for (int i = 0; i < 20; ++i) of_small += queue.pop_front()->sender == 200 ? 1 : 0;
  EXPECT_GE(of_small, 9) << "the large one came once too";
  EXPECT_EQ(queue.size(), 9'990u);
}

TEST(ReadyQueue, SenderDomainsTakeTurnsWhateverTheySend) {
  Mail mail;
  ReadyQueue queue;
  // Neither many senders of a domain nor many recipient domains give a sender domain more turns.
  for (uint32_t i = 0; i < 3'000; ++i) queue.push_back(mail.make(i, 0x100 + i % 16));
  for (int i = 0; i < 5; ++i) queue.push_back(mail.make(1, 0x200));
  std::string turns;
  for (int i = 0; i < 12; ++i) turns += queue.pop_front()->sender >> kLocalBits == 0x10u ? '-' : 'o';
  EXPECT_EQ(turns, "-o--o-o-o-o-") << "each came once, and has a turn for it";
}

TEST(ReadyQueue, SendersOfADomainTakeTurnsAndThenTheirRecipientDomains) {
  Mail mail;
  ReadyQueue queue;
  for (uint32_t i = 0; i < 1'000; ++i) queue.push_back(mail.make(i % 500, 0x101));
  for (uint32_t i = 0; i < 3; ++i) queue.push_back(mail.make(7, 0x102));
  std::vector<uint32_t> domains;
  for (int i = 0; i < 6; ++i) {
    const Delivery* next = queue.pop_front();
    EXPECT_EQ(next->sender, i % 2 == 0 ? 0x101u : 0x102u);
    if (i % 2 == 0) domains.push_back(next->domain);
  }
  EXPECT_EQ(domains, (std::vector<uint32_t>{0, 1, 2}));
}

// How many go until `receipt` has gone, which comes behind all others.
int turn_of(ReadyQueue* queue, Delivery* receipt) {
  queue->push_back(receipt);
  for (int turn = 1;; ++turn) {
    if (queue->pop_front() == receipt) return turn;
  }
}

TEST(ReadyQueue, WhoComesBehindAFloodWaitsForFewTurnsWhateverTheFloodIs) {
  struct Flood {
    const char* of;
    uint32_t domains, senders, sender_domains;
  };
  for (const Flood& flood :
       {Flood{"one sender to one domain", 1, 1, 1}, Flood{"one sender to many", 900, 1, 1},
        Flood{"senders of a domain", 1, 16, 1}, Flood{"senders of a domain to many", 30, 16, 1},
        Flood{"domains of senders", 1, 1, 900}, Flood{"all of these", 3, 16, 30}}) {
    for (const int before : {0, 1, 2, 777}) {
      Mail mail;
      ReadyQueue queue;
      for (uint32_t i = 0; i < 5'000; ++i) {
        const uint32_t sender = (1 + i % flood.sender_domains) << kLocalBits | i % flood.senders;
        queue.push_back(mail.make(i % flood.domains, sender));
      }
      for (int i = 0; i < before; ++i) queue.pop_front();
      EXPECT_LE(turn_of(&queue, mail.make(7'777, 0xfff0)), 2) << "another domain, behind " << flood.of;
      EXPECT_LE(turn_of(&queue, mail.make(0, 1 << kLocalBits)), 2) << "its own sender, behind " << flood.of;
      EXPECT_LE(turn_of(&queue, mail.make(7'777, 1 << kLocalBits)), 2)
          << "its own sender to another domain, behind " << flood.of;
      EXPECT_LE(turn_of(&queue, mail.make(0, 1 << kLocalBits | 5)), 2)
          << "another sender of its domain, behind " << flood.of;
    }
  }
}

TEST(ReadyQueue, WhatComesBehindAFewOfItsOwnFlowHasThemSentInItsTurns) {
  Mail mail;
  ReadyQueue queue;
  std::vector<Delivery*> flow;
  for (uint32_t i = 0; i < 5'000; ++i) queue.push_back(mail.make(1, (1 + i % 900) << kLocalBits));
  for (uint32_t i = 0; i < ReadyQueue::kInOrder; ++i) flow.push_back(mail.make(1, 0xfff0));
  for (Delivery* each : flow) queue.push_back(each);
  for (uint32_t i = 0; i < 2 * ReadyQueue::kInOrder; ++i) {
    const Delivery* next = queue.pop_front();
    if (i % 2 == 1) {
      EXPECT_EQ(next, flow[i / 2]);
    }
  }
}

// Domains, senders and flows to which something comes all the time leave half of the turns to those that
// wait.
TEST(ReadyQueue, WhoeverWaitsKeepsHalfOfHisTurnsBesideOneThatIsAlwaysNew) {
  for (const uint32_t fresh : {0x200u, 0x101u, 0x100u}) {
    Mail mail;
    ReadyQueue queue;
    for (int i = 0; i < 1'000; ++i) queue.push_back(mail.make(1, 0x100));
    int waited = 0;
    for (int i = 0; i < 400; ++i) {
      queue.push_back(mail.make(2, fresh));
      waited += queue.pop_front()->domain == 1 ? 1 : 0;
    }
    EXPECT_GE(waited, 199) << fresh;
  }
}

TEST(ReadyQueue, NobodyLosesMoreThanHalfOfHisTurnsToThoseThatAreAlwaysNew) {
  Mail mail;
  ReadyQueue queue;
  for (int i = 0; i < 1'000; ++i) queue.push_back(mail.make(1, 0x100));
  int of_first = 0;
  for (uint32_t i = 0; i < 1'000; ++i) {
    queue.push_back(mail.make(1, (0x200 + i) << kLocalBits));
    of_first += queue.pop_front()->sender == 0x100 ? 1 : 0;
  }
  // 500 others wait by then and go round with it.
  EXPECT_GE(of_first, 5);
  while (queue.size() > 0 && queue.oldest()->sender == 0x100 && of_first < 1'000) {
    of_first += queue.pop_front()->sender == 0x100 ? 1 : 0;
  }
  EXPECT_EQ(of_first, 1'000);
}

TEST(ReadyQueue, TheOldestOfALongFlowGoesInEverySecondTurn) {
  Mail mail;
  ReadyQueue queue;
  conf::MessageId oldest = 1;
  for (int i = 0; i < 1'000; ++i) queue.push_back(mail.make(1, 1));
  for (int i = 0; i < 2'000; ++i) {
    queue.push_back(mail.make(1, 1));
    const Delivery* gone = queue.pop_front();
    if (i % 2 == 0) {
      EXPECT_EQ(gone->id, oldest++);
    } else {
      EXPECT_EQ(gone->id, 1'001u + static_cast<unsigned>(i));
    }
  }
}

TEST(ReadyQueue, GivesTheNextOfOneSender) {
  Mail mail;
  ReadyQueue queue;
  Delivery* alone = mail.make(1, 5);
  queue.push_back(alone);
  EXPECT_TRUE(queue.has_sender(5));
  EXPECT_EQ(queue.pop_front_of(6, Turn::kRound, nullptr), nullptr);
  EXPECT_EQ(queue.pop_front_of(5, Turn::kRound, nullptr), alone);
  EXPECT_FALSE(queue.has_sender(5));
  for (uint32_t i = 0; i < 8; ++i) queue.push_back(mail.make(i % 4 / 2, 5 + i % 2));
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(queue.pop_front_of(6, Turn::kRound, nullptr)->domain, i % 2);
  EXPECT_FALSE(queue.has_sender(6));
  EXPECT_EQ(queue.pop_front_of(6, Turn::kRound, nullptr), nullptr);
  EXPECT_EQ(queue.size(), 4u);
}

// As one that goes round over several queues asks for it.
TEST(ReadyQueue, GivesTheLatestOfOneSender) {
  Mail mail;
  ReadyQueue queue;
  for (uint32_t i = 0; i < 20; ++i) queue.push_back(mail.make(1 + i / 10, 5));
  queue.push_back(mail.make(1, 6));
  Delivery* latest = mail.make(1, 5);
  queue.push_back(latest);
  bool newer_waits = true;
  EXPECT_EQ(queue.pop_front_of(5, Turn::kLatest, &newer_waits), latest);
  EXPECT_FALSE(newer_waits);
  EXPECT_EQ(queue.pop_front_of(5, Turn::kRound, nullptr)->id, 11U);
  for (int i = 0; i < 15; ++i) queue.pop_front_of(5, Turn::kRound, nullptr);
  latest = mail.make(1, 5);
  queue.push_back(latest);
  EXPECT_NE(queue.pop_front_of(5, Turn::kLatest, &newer_waits), latest) << "a short flow is in order";
  EXPECT_TRUE(newer_waits);
}

TEST(ReadyQueue, AShortFlowKeepsItsOrder) {
  Mail mail;
  ReadyQueue queue;
  for (uint32_t i = 0; i < 6 * ReadyQueue::kInOrder; ++i) queue.push_back(mail.make(i % 2, i % 3));
  std::vector<conf::MessageId> last(6, 0);
  while (Delivery* next = queue.pop_front()) {
    conf::MessageId& before = last[next->domain * 3 + next->sender];
    EXPECT_GT(next->id, before);
    before = next->id;
  }
  EXPECT_TRUE(queue.empty());
}

TEST(ReadyQueue, PushFrontIsNextAndOldest) {
  Mail mail;
  ReadyQueue queue;
  for (uint32_t i = 0; i < 9; ++i) queue.push_back(mail.make(i % 3, i));
  Delivery* rest = mail.make(2, 5);
  queue.push_front(rest);
  EXPECT_EQ(queue.front(), rest);
  EXPECT_EQ(queue.oldest(), rest);
  EXPECT_EQ(queue.pop_front(), rest);
  Delivery* stranger = mail.make(77, 5);
  queue.push_front(stranger);
  EXPECT_EQ(queue.pop_front(), stranger);
  EXPECT_EQ(queue.size(), 9u);
}

TEST(ReadyQueue, EraseInTheMiddleLeavesTheTurns) {
  Mail mail;
  ReadyQueue queue;
  Delivery* a = mail.make(1, 1);
  Delivery* b = mail.make(2, 1);
  Delivery* c = mail.make(3, 1);
  Delivery* d = mail.make(1, 1);
  for (Delivery* each : {a, b, c, d}) queue.push_back(each);
  queue.erase(b);
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.pop_front(), a);
  EXPECT_EQ(queue.oldest(), c);
  EXPECT_EQ(queue.pop_front(), d);  // the latest
  queue.erase(c);
  EXPECT_TRUE(queue.empty());
  queue.push_back(b);
  EXPECT_EQ(queue.front(), b);
}

TEST(ReadyQueue, ForEachGoesByArrivalAndMayErase) {
  Mail mail;
  ReadyQueue queue;
  std::vector<Delivery*> all;
  for (uint32_t i = 0; i < 20; ++i) {
    all.push_back(mail.make(i % 4, i % 2));
    queue.push_back(all.back());
  }
  size_t at = 0;
  queue.for_each([&](Delivery* each) {
    EXPECT_EQ(each, all[at++]);
    if (at % 2 == 0) queue.erase(each);
  });
  EXPECT_EQ(at, 20u);
  EXPECT_EQ(queue.size(), 10u);
}

TEST(ReadyQueue, ADeliveryOutlivesItsQueue) {
  Mail mail;
  Delivery* kept = mail.make(1, 1);
  {
    ReadyQueue queue;
    queue.push_back(kept);
    queue.push_back(mail.make(1, 2));
  }
  EXPECT_FALSE(kept->hook.linked());
  ReadyQueue other;
  other.push_back(kept);
  EXPECT_EQ(other.pop_front(), kept);
}

// The same rules with plain lists, every operation a search.
class Model {
 public:
  void push(Delivery* delivery, bool front) {
    if (alone_ && !arrivals_.empty() &&
        (delivery->sender != arrivals_.front()->sender || delivery->domain != arrivals_.front()->domain))
      begin_turns();
    List& flow = flow_of(*delivery, front);
    if (front) {
      latest_is_next_ = false;
      flow.mail.push_front(delivery);
      arrivals_.push_front(delivery);
    } else {
      flow.mail.push_back(delivery);
      arrivals_.push_back(delivery);
    }
  }
  Delivery* front() {
    const bool latest = is_latest();
    List* list = &root_;
    while (!list->below.empty()) list = &*next_of(list, latest);
    if (list->mail.empty()) return nullptr;
    return latest && list->mail.size() > ReadyQueue::kInOrder ? list->mail.back() : list->mail.front();
  }
  void pop() {
    Delivery* gone = front();
    const bool latest = is_latest();
    std::vector<List*> way;
    List* list = &root_;
    while (!list->below.empty()) {
      list->below.splice(list->below.end(), list->below, next_of(list, latest));
      list = &list->below.back();
      way.push_back(list);
    }
    const bool newer_waits = list->mail.size() <= ReadyQueue::kInOrder && list->mail.back() != gone;
    for (List* each : way)
      if (latest && !newer_waits) each->arrival = 0;
    latest_is_next_ = !latest;
    erase(gone);
  }
  void erase(Delivery* delivery) {
    arrivals_.remove(delivery);
    forget(&root_, delivery);
    if (!arrivals_.empty()) return;
    root_ = List();
    alone_ = true;
    latest_is_next_ = false;
  }
  const std::list<Delivery*>& arrivals() const { return arrivals_; }

 private:
  struct List {
    uint32_t key = 0;
    uint64_t arrival = 0;  // of what it had no turn for yet; 0: none
    std::list<List> below;
    std::list<Delivery*> mail;
  };
  List& flow_of(const Delivery& delivery, bool front) {
    List& domain = place(&root_, delivery.sender >> kLocalBits, front);
    List& sender = place(&domain, delivery.sender, front);
    List& flow = place(&sender, delivery.domain, front);
    domain.arrival = sender.arrival = flow.arrival = ++arrivals_so_far_;
    return flow;
  }
  // A second flow comes: no turn of the first was counted.
  void begin_turns() {
    alone_ = false;
    List* flow = &root_;
    while (!flow->below.empty()) flow = &flow->below.front();
    std::list<Delivery*> mail = std::move(flow->mail);
    root_ = List();
    latest_is_next_ = false;
    flow_of(*mail.front(), false).mail = std::move(mail);
  }
  static std::list<List>::iterator newest_of(List* in) {
    const auto newest = std::ranges::max_element(in->below, {}, &List::arrival);
    return newest == in->below.end() || newest->arrival == 0 ? in->below.end() : newest;
  }
  // Alone, the only flow is new all the time.
  bool is_latest() { return latest_is_next_ && (alone_ || newest_of(&root_) != root_.below.end()); }
  static std::list<List>::iterator next_of(List* in, bool latest) {
    const auto newest = newest_of(in);
    return latest && newest != in->below.end() ? newest : in->below.begin();
  }
  List& place(List* in, uint32_t key, bool front) {
    auto found = std::ranges::find(in->below, key, &List::key);
    if (found == in->below.end()) {
      in->below.push_back({key, 0, {}, {}});
      found = std::prev(in->below.end());
    }
    if (front) in->below.splice(in->below.begin(), in->below, found);
    return *found;
  }
  static void forget(List* in, Delivery* delivery) {
    in->mail.remove(delivery);
    for (List& list : in->below) forget(&list, delivery);
    in->below.remove_if([](const List& each) { return each.below.empty() && each.mail.empty(); });
    if (!in->below.empty() && newest_of(in) == in->below.end()) in->arrival = 0;
  }
  List root_;
  bool alone_ = true;  // all that waits is of one flow
  bool latest_is_next_ = false;
  uint64_t arrivals_so_far_ = 0;
  std::list<Delivery*> arrivals_;
};

void compare_with_model(uint64_t seed) {
  conf::Random random(seed);
  Mail mail;
  ReadyQueue queue;
  Model model;
  std::vector<Delivery*> outside;
  const uint64_t domains = 1 + random.below(6);
  const uint64_t senders = 1 + random.below(6);
  const int deliveries = random.chance(0.5) ? 60 : 300;  // of few flows, which are then long
  for (int i = 0; i < deliveries; ++i) {
    outside.push_back(mail.make(static_cast<uint32_t>(random.below(domains)),
                                static_cast<uint32_t>(random.below(senders) * 11)));
  }
  for (int step = 0; step < 600; ++step) {
    const uint64_t what = random.below(10);
    if (what < 5 && !outside.empty()) {
      std::swap(outside[random.below(outside.size())], outside.back());
      const bool front = what == 0;
      front ? queue.push_front(outside.back()) : queue.push_back(outside.back());
      model.push(outside.back(), front);
      outside.pop_back();
    } else if (what < 8 && !queue.empty()) {
      const Delivery* expected = model.front();
      model.pop();
      outside.push_back(queue.pop_front());
      ASSERT_EQ(outside.back(), expected) << "seed " << seed << " step " << step;
    } else if (!queue.empty()) {
      auto any = model.arrivals().begin();
      std::advance(any, static_cast<ptrdiff_t>(random.below(queue.size())));
      outside.push_back(*any);
      model.erase(outside.back());
      queue.erase(outside.back());
    }
    ASSERT_EQ(queue.size(), model.arrivals().size());
    ASSERT_EQ(queue.front(), model.front()) << "seed " << seed << " step " << step;
    std::list<Delivery*> arrivals;
    queue.for_each([&](Delivery* each) { arrivals.push_back(each); });
    ASSERT_EQ(arrivals, model.arrivals()) << "seed " << seed << " step " << step;
    ASSERT_EQ(queue.oldest(), arrivals.empty() ? nullptr : arrivals.front());
  }
}

TEST(ReadyQueue, DoesWhatTheModelDoes) {
  for (uint64_t seed = 1; seed <= 200; ++seed) compare_with_model(seed);
}

}  // namespace
}  // namespace relay::queue
