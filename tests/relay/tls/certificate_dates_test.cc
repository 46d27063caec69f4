#include "relay/tls/certificate_dates.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/temporary_folder.h"

namespace relay::tls {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class CertificateDates : public testing::Test {
 protected:
  // From now on for so many days.
  std::string certificate(int days) {
    const std::string stem = folder_ / std::to_string(days);
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days " +
        std::to_string(days) + " -keyout " + stem + ".key -out " + stem + ".crt >/dev/null 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << "openssl is needed for this test";
    return stem + ".crt";
  }
  static std::string in_days(const std::string& file, int days) {
    return dates_warning(file, conf::SystemClock().wall() + days * 24h + 1h);
  }

  TemporaryFolder folder_;
};

TEST_F(CertificateDates, SayWhenACertificateHasEndedAndWhenItIsAboutTo) {
  const std::string file = certificate(30);
  EXPECT_EQ(in_days(file, 0), "");
  EXPECT_EQ(in_days(file, 15), "");
  const std::string soon = in_days(file, 20);
  EXPECT_EQ(soon.find("the certificate in " + file + " ends on 20"), 0U) << soon;
  EXPECT_NE(soon.find(", in 9 days: renew it"), std::string::npos) << soon;
  EXPECT_NE(in_days(file, 29).find(", today: renew it"), std::string::npos);
  EXPECT_EQ(in_days(file, 31).find("the certificate in " + file + " has expired on 20"), 0U);
  EXPECT_NE(in_days(file, -2).find(" is not good before 20"), std::string::npos);
}

TEST_F(CertificateDates, TheFirstOfAChainThatEndsCounts) {
  const std::string file = certificate(300), chain = folder_ / "chain";
  std::ofstream(chain) << std::ifstream(file).rdbuf() << std::ifstream(certificate(5)).rdbuf();
  EXPECT_NE(in_days(chain, 0).find(", in 4 days"), std::string::npos) << in_days(chain, 0);
}

TEST_F(CertificateDates, AFileWithoutACertificateSaysNothing) {
  EXPECT_EQ(in_days(folder_ / "nothing", 0), "");
  std::ofstream(folder_ / "text") << "no certificate\n";
  EXPECT_EQ(in_days(folder_ / "text", 0), "");
}

}  // namespace
}  // namespace relay::tls
