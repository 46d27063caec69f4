#include "bench/blocked/source_lab.h"

#include <chrono>
#include <memory>
#include <string>

#include "bench/blocked/phase.h"
#include "conf/config.h"
#include "conf/vocab/random.h"
#include "relay/flow/path_choice.h"
#include "relay/flow/site_table.h"
#include "relay/queue/domain_table.h"

namespace blocked {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr int kSteps = 20;

class StillClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return conf::Instant(1h); }
  conf::WallTime wall() const override { return conf::from_unix_micros(1'790'000'000'000'000); }
};

class SourceLab {
 public:
  explicit SourceLab(size_t count) {
    config_->sources.resize(count);
    for (size_t i = 0; i < count; ++i) {
      config_->sources[i].name = "source-" + std::to_string(i);
      config_->sources[i].id = static_cast<uint32_t>(i + 1);
    }
    sites_ = std::make_unique<relay::queue::SiteTable>(config_, nullptr, &clock_);
    choice_ = std::make_unique<relay::queue::PathChoice>(sites_.get(), &random_);
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx.test";
    route->hosts.push_back({"mx.test", 10, 25, {"127.0.0.1"}});
    domain_ = &domains_.at(domains_.intern(conf::Domain::from_canonical("d.test")));
    domain_->route = std::move(route);
    domain_->settings = conf::settings_in(config_, "d.test");
  }

  void draw(const char* name) {
    Phase phase(name);
    for (int step = 0; step < kSteps; ++step) {
      phase.run([&] {
        for (size_t i = 0; i < choice_->choices_per_step(); ++i) choice_->choose(domain_);
      });
    }
  }
  void block_all() {
    for (const conf::Source& source : config_->sources)
      sites_->path_from(domain_, source)->holds.order_until(clock_.now() + 1h);
  }
  // As RouteWatch asks of each path that has mail.
  void look_for_others() {
    Phase phase("whether mail of each path could go from another");
    phase.run([&] {
      const relay::queue::Site& site = *sites_->path_from(domain_, config_->sources.front())->site;
      const relay::queue::PathChoice::Outlook outlook = choice_->outlook_of(site);
      for (const auto& [name, path] : site.paths) choice_->others_may_take(*path, outlook);
    });
  }
  void reload() {
    Phase phase("reload of a site that all of them send to");
    sites_->reload(config_, nullptr);
    for (bool more = true; more;) phase.run([&] { more = sites_->reload_some([](relay::queue::Path*) {}); });
  }

 private:
  StillClock clock_;
  conf::Random random_{1};
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  relay::queue::DomainTable domains_;
  std::unique_ptr<relay::queue::SiteTable> sites_;
  std::unique_ptr<relay::queue::PathChoice> choice_;
  relay::queue::DomainEntry* domain_ = nullptr;
};

}  // namespace

void run_source_phases(size_t sources) {
  SourceLab lab(sources);
  lab.draw("draw a source for each of 1,024 messages");
  lab.block_all();
  lab.draw("the same, all sources blocked at the site");
  lab.look_for_others();
  lab.reload();
}

}  // namespace blocked
