// What a refusal means: paid once for each refusal.

#include "bench/micro/micro.h"
#include "bounce/qualifier.h"

namespace {

void qualify_short(benchmark::State& state) {
  const bounce::Reply reply = bounce::Reply::make(550, "5.1.1 <someone@some.example>: user unknown");
  for (auto _ : state) benchmark::DoNotOptimize(bounce::qualify(bounce::Stage::kRcpt, reply));
}
MICRO(qualify_short);

void qualify_long(benchmark::State& state) {
  const bounce::Reply reply = bounce::Reply::make(
      421,
      "4.7.0 Our system has seen that you send mail in a way we did not expect from the address 192.0.2.25 "
      "and "
      "the domains behind it. To protect those who read their mail here, what you send is put off for now. "
      "The "
      "page https://postmaster.some.example/help/senders?id=4711 says what to do and whom to ask.");
  for (auto _ : state) benchmark::DoNotOptimize(bounce::qualify(bounce::Stage::kDot, reply));
}
MICRO(qualify_long);

}  // namespace
