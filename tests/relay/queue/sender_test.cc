// Who is one sender: a mailing, whatever its reverse-paths look like.
#include "relay/queue/sender.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace relay::queue {
namespace {

uint32_t of(const std::string& address) { return sender_of(conf::Mailbox::parse(address).value()); }

TEST(Sender, AMailingIsOneWhateverMakesItsReversePathsDiffer) {
  const uint32_t plain = of("bounce@news.example");
  for (const char* each :
       {"bounce+1234@news.example", "bounce-9-user=host.test@news.example", "Bounce_x@NEWS.example",
        "bounce17@news.example", "bounce+5@n17.news.example", "bounce=x@3.mta-2.news.example"})
    EXPECT_EQ(of(each), plain) << each;
  for (const char* each : {"0100018f-77aa@news.example", "77@news.example", "+x@news.example"})
    EXPECT_EQ(of(each), of("1@news.example")) << each;
}

TEST(Sender, OtherDomainsAndOtherWordsAreOthers) {
  EXPECT_NE(of("a@one.example") >> kLocalBits, of("a@two.example") >> kLocalBits);
  EXPECT_EQ(of("receipts@shop.example") >> kLocalBits, of("news@shop.example") >> kLocalBits);
  EXPECT_NE(of("receipts@shop.example"), of("news@shop.example"));
  EXPECT_NE(of("a@163.com") >> kLocalBits, of("a@126.com") >> kLocalBits);  // a number may be the name
}

TEST(Sender, ReportsAreOneSender) { EXPECT_EQ(sender_of(conf::Mailbox()), 0u); }

TEST(Sender, ADomainHasAtMost16Senders) {
  std::set<uint32_t> senders;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) senders.insert(of(std::string{a, b, a} + "@random.example"));
  }
  EXPECT_LE(senders.size(), 16u);
}

}  // namespace
}  // namespace relay::queue
