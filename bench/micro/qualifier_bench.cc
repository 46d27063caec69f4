// What a refusal means: paid once for each refusal.

#include <string>
#include <vector>

#include "bench/micro/micro.h"
#include "bounce/known_texts.h"
#include "bounce/qualifier.h"

namespace {

// The first question compiles the rules, and each expression makes its automaton when it is first tried.
void warm_up(bounce::Stage stage, const bounce::Reply& reply) {
  for (int i = 0; i < 3; ++i) benchmark::DoNotOptimize(bounce::qualify(stage, reply));
}

void qualify_short(benchmark::State& state) {
  const bounce::Reply reply = bounce::Reply::make(550, "5.1.1 <someone@some.example>: user unknown");
  warm_up(bounce::Stage::kRcpt, reply);
  for (auto _ : state) benchmark::DoNotOptimize(bounce::qualify(bounce::Stage::kRcpt, reply));
}
MICRO(qualify_short);

// Of a usual length, with an id of the message in it.
void qualify_usual(benchmark::State& state) {
  const bounce::Reply reply = bounce::Reply::make(
      550, "5.7.1 Message rejected due to the policy of some.example, id 4711-ab3f9c, see our help page");
  warm_up(bounce::Stage::kDot, reply);
  for (auto _ : state) benchmark::DoNotOptimize(bounce::qualify(bounce::Stage::kDot, reply));
}
MICRO(qualify_usual);

// One text to many addresses.
void qualify_known(benchmark::State& state) {
  bounce::KnownTexts texts(bounce::Qualifier::shipped(), 20'000);
  std::vector<bounce::Reply> replies;
  for (int i = 0; i < 1000; ++i) {
    replies.push_back(
        bounce::Reply::make(550, "5.1.1 <u" + std::to_string(i) + "@some.example>: user unknown"));
  }
  texts.qualify({bounce::Stage::kRcpt, &replies[0], {}, {}, {}});
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(texts.qualify({bounce::Stage::kRcpt, &replies[next], {}, {}, {}}));
    next = next + 1 == replies.size() ? 0 : next + 1;
  }
}
MICRO(qualify_known);

void qualify_long(benchmark::State& state) {
  const bounce::Reply reply = bounce::Reply::make(
      421,
      "4.7.0 Our system has seen that you send mail in a way we did not expect from the address 192.0.2.25 "
      "and "
      "the domains behind it. To protect those who read their mail here, what you send is put off for now. "
      "The "
      "page https://postmaster.some.example/help/senders?id=4711 says what to do and whom to ask.");
  warm_up(bounce::Stage::kDot, reply);
  for (auto _ : state) benchmark::DoNotOptimize(bounce::qualify(bounce::Stage::kDot, reply));
}
MICRO(qualify_long);

}  // namespace
