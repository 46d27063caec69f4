// Says mail in seven bits for the relay of the simulation, and takes its time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/walk/mail_converter.h"
#include "relay/walk/seven_bit.h"
#include "tests/sim/world.h"

namespace sim {

class Converter final : public relay::MailConverter {
 public:
  explicit Converter(World* world) : world_(world) {}

  void submit(conf::Bytes mail, relay::SignedParts signed_parts, Done done) override {
    world_->after(world_->between(conf::Duration(10), conf::Duration(5'000)),
                  [this, alive = std::weak_ptr<int>(alive_),
                   text = relay::to_seven_bit(mail.view(), signed_parts), done = std::move(done)]() mutable {
                    if (!alive.expired()) ready_.emplace_back(std::move(done), std::move(text));
                  });
  }
  size_t drain_completions() override {
    std::vector<std::pair<Done, std::optional<std::string>>> ready = std::exchange(ready_, {});
    for (auto& [done, text] : ready) done(std::move(text));
    return ready.size();
  }

 private:
  World* world_;
  std::vector<std::pair<Done, std::optional<std::string>>> ready_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace sim
