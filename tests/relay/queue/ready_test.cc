// The fair queue of a path, by examples and against a model that only knows lists.
#include "relay/queue/ready.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <memory>
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
  EXPECT_EQ(of_small, 10);
  EXPECT_EQ(queue.size(), 9'990u);
}

TEST(ReadyQueue, DomainsTakeTurnsWhateverTheyHold) {
  Mail mail;
  ReadyQueue queue;
  // Many senders do not give a domain more turns.
  for (uint32_t i = 0; i < 3'000; ++i) queue.push_back(mail.make(1, i % 30));
  for (int i = 0; i < 5; ++i) queue.push_back(mail.make(2, 7));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(queue.pop_front()->domain, i % 2 == 0 ? 1u : 2u);
  EXPECT_EQ(queue.pop_front()->domain, 1u);
  EXPECT_EQ(queue.pop_front()->domain, 1u);
}

TEST(ReadyQueue, ASenderKeepsItsOrder) {
  Mail mail;
  ReadyQueue queue;
  for (uint32_t i = 0; i < 300; ++i) queue.push_back(mail.make(i % 2, i % 3));
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
  EXPECT_EQ(queue.pop_front()->domain, 0u);  // its domain had its turn
  Delivery* stranger = mail.make(77, 5);
  queue.push_front(stranger);
  EXPECT_EQ(queue.pop_front(), stranger);
  EXPECT_EQ(queue.size(), 8u);
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
  EXPECT_EQ(queue.pop_front(), c);
  queue.erase(d);
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
    auto domain = find(&domains_, delivery->domain);
    if (domain == domains_.end()) domain = domains_.insert(domain, {delivery->domain, {}});
    auto sender = find(&domain->second, delivery->sender);
    if (sender == domain->second.end()) sender = domain->second.insert(sender, {delivery->sender, {}});
    if (front) {
      sender->second.push_front(delivery);
      domain->second.splice(domain->second.begin(), domain->second, sender);
      domains_.splice(domains_.begin(), domains_, domain);
      arrivals_.push_front(delivery);
    } else {
      sender->second.push_back(delivery);
      arrivals_.push_back(delivery);
    }
  }
  Delivery* front() const {
    return domains_.empty() ? nullptr : domains_.front().second.front().second.front();
  }
  void pop() {
    auto domain = domains_.begin();
    auto sender = domain->second.begin();
    Delivery* gone = sender->second.front();
    domain->second.splice(domain->second.end(), domain->second, sender);
    domains_.splice(domains_.end(), domains_, domain);
    erase(gone);
  }
  void erase(Delivery* delivery) {
    arrivals_.remove(delivery);
    auto domain = find(&domains_, delivery->domain);
    auto sender = find(&domain->second, delivery->sender);
    sender->second.remove(delivery);
    if (sender->second.empty()) domain->second.erase(sender);
    if (domain->second.empty()) domains_.erase(domain);
  }
  const std::list<Delivery*>& arrivals() const { return arrivals_; }

 private:
  using Senders = std::list<std::pair<uint32_t, std::list<Delivery*>>>;
  template <typename List>
  static typename List::iterator find(List* list, uint32_t key) {
    return std::find_if(list->begin(), list->end(), [key](const auto& each) { return each.first == key; });
  }
  std::list<std::pair<uint32_t, Senders>> domains_;
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
  for (int i = 0; i < 60; ++i) {
    outside.push_back(mail.make(static_cast<uint32_t>(random.below(domains)),
                                static_cast<uint32_t>(random.below(senders))));
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
