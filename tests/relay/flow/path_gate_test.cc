#include "relay/flow/path_gate.h"

#include "mx/rules/rule_book.h"
#include "tests/relay/flow/path_rig.h"
#include "tests/relay/routes_and_rules.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// Two sites of one receiver that has one connection for us at each of its addresses.
class PathGateTest : public testing::Test {
 protected:
  PathGateTest() {
    config_->sources.resize(1);
    config_->sources[0].name = "default";
    conf::MxRule rule = rule_for_test("one-receiver");
    rule.fields.scope = conf::RuleField<conf::RuleScope>::set(conf::RuleScope::kPath);
    rule.fields.one_site = conf::RuleField<bool>::set(true);
    rule.fields.max_connections = conf::RuleField<uint32_t>::set(1);
    rules_ = mx::build_rules({rule});
    for (const conf::Problem& problem : rules_.problems) ADD_FAILURE() << problem.message;
    sites_ = std::make_unique<queue::SiteTable>(config_, rules_.book, &clock_);
    gate_ = std::make_unique<PathGate>(
        PathGate::Parts{sites_.get(), &lease_, &clock_, [this](queue::Path* path) { asked_.push_back(path); },
                        [](const queue::Path&, const std::vector<mx::Decision>&) {}});
  }
  queue::Path* path_to(const std::string& domain, const std::vector<std::string>& addresses) {
    queue::DomainEntry& entry = domains_.at(domains_.intern(conf::Domain::from_canonical(domain)));
    entry.route = route_to({mx::RouteHost{"mx." + domain, 10, 25, addresses}});
    entry.settings = conf::settings_in(config_, domain);
    return sites_->path_from(&entry, config_->sources[0]);
  }

  ManualClock clock_;
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  mx::BuiltRules rules_;
  queue::DomainTable domains_;
  mx::Lease lease_;
  std::vector<queue::Path*> asked_;
  std::unique_ptr<queue::SiteTable> sites_;
  std::unique_ptr<PathGate> gate_;
};

TEST_F(PathGateTest, APathWaitsInTheLineOfTheAddressThatIsFullAndNotOfOneThatDnsNoLongerGives) {
  queue::Path* first = path_to("one.test", {"192.0.2.2"});
  queue::Path* second = path_to("two.test", {"192.0.2.2"});
  ASSERT_EQ(sites_->traffic(first, "192.0.2.2"), sites_->traffic(second, "192.0.2.2"));
  sites_->traffic(second, "192.0.2.1");  // its address of yesterday
  PathGate::Use use;
  gate_->open(first, "192.0.2.2", &use);
  const mx::Admission admission = gate_->may_open(second, "192.0.2.2", clock_.now());
  ASSERT_FALSE(admission.yes);
  ASSERT_EQ(admission.not_before, conf::kNever);
  gate_->wait(second, admission);
  asked_.clear();
  gate_->close(&use);
  EXPECT_EQ(asked_, std::vector<queue::Path*>{second});
}

}  // namespace
}  // namespace relay
