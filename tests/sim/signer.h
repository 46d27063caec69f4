// The signing workers of the simulation: they take their time, have little room, and fail now and then.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "conf/vocab/check.h"
#include "dkim/sign_queue.h"
#include "tests/sim/world.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

inline constexpr const char* kSimSignature = "DKIM-Signature: simulated\r\n";

class Signer final : public dkim::SignQueue {
 public:
  Signer(World* world, bool enabled, std::function<void()> wake)
      : world_(world), enabled_(enabled), room_(1 + world->random.below(20)), wake_(std::move(wake)) {}

  bool enabled() const override { return enabled_; }
  uint64_t edition() const override { return 1; }
  bool submit(conf::Bytes mail, Done done) override {
    CHECK(mail.has_value() && mail.size() > 0);
    if (under_way_ >= room_) return false;
    ++under_way_;
    world_->after(
        world_->between(10us, world_->random.chance(0.1) ? conf::Duration(20s) : conf::Duration(5ms)),
        [this, alive = std::weak_ptr<int>(alive_), done = std::move(done)]() mutable {
          if (alive.expired()) return;
          dkim::SignOutcome outcome;
          outcome.kind = world_->random.chance(0.05) ? dkim::SignOutcome::Kind::kFailed
                                                     : dkim::SignOutcome::Kind::kSigned;
          if (outcome.kind == dkim::SignOutcome::Kind::kSigned) outcome.fields = kSimSignature;
          ready_.emplace_back(std::move(done), std::move(outcome));
          wake_();
        });
    return true;
  }
  size_t drain_completions() override {
    std::vector<std::pair<Done, dkim::SignOutcome>> ready = std::exchange(ready_, {});
    under_way_ -= ready.size();
    for (auto& [done, outcome] : ready) done(std::move(outcome));
    return ready.size();
  }

 private:
  World* world_;
  const bool enabled_;
  const uint64_t room_;
  const std::function<void()> wake_;
  uint64_t under_way_ = 0;
  std::vector<std::pair<Done, dkim::SignOutcome>> ready_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace sim
