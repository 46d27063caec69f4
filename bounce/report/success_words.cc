#include "bounce/report/success_words.h"

#include "bounce/report/notice_words.h"

namespace bounce::report {
namespace {

constexpr Word kSuccessSubjects[] = {
    // English
    {"delivered:", kSaysDelivered},
    {"message delivered", kSaysDelivered},
    {"mail delivered", kSaysDelivered},
    {"(success", kSaysDelivered},
    {"successful mail delivery", kSaysDelivered},
    {"successful delivery", kSaysDelivered},
    {"delivery successful", kSaysDelivered},
    {"has been successful", kSaysDelivered},
    {"delivery receipt", kSaysDelivered},
    {"return receipt", kSaysDelivered},
    {"relayed:", kSaysDelivered},
    {"expanded:", kSaysDelivered},
    {"read:", kSaysDelivered},
    {"not successful", kSaysFailure},     // and not what stands above
    {"unsuccessful", kSaysFailure},       // and not what stands above
    {"not be successful", kSaysFailure},  // and not what stands above
    // German
    {"zugestellt:", kSaysDelivered},
    {"übermittelt:", kSaysDelivered},
    {"übermittlungsbestätigung", kSaysDelivered},
    {"zustellbestätigung", kSaysDelivered},
    {"Übermittlungsbestätigung", kSaysDelivered},
    {"weitergeleitet:", kSaysDelivered},
    {"erfolgreich zugestellt", kSaysDelivered},
    {"gelesen:", kSaysDelivered},
    {"nicht erfolgreich", kSaysFailure},  // and not what stands above
    // French
    {"remis :", kSaysDelivered},
    {"remis:", kSaysDelivered},
    {"livré :", kSaysDelivered},
    {"distribué :", kSaysDelivered},
    {"remise réussie", kSaysDelivered},
    {"accusé de réception", kSaysDelivered},
    {"relayé :", kSaysDelivered},
    {"lu :", kSaysDelivered},
    // Spanish and Portuguese
    {"entregado:", kSaysDelivered},
    {"entregado correctamente", kSaysDelivered},
    {"entrega correcta", kSaysDelivered},
    {"confirmación de entrega", kSaysDelivered},
    {"retransmitido:", kSaysDelivered},
    {"leído:", kSaysDelivered},
    {"entregue:", kSaysDelivered},
    {"entregue com sucesso", kSaysDelivered},
    {"confirmação de entrega", kSaysDelivered},
    {"lida:", kSaysDelivered},
    // Italian
    {"recapitato:", kSaysDelivered},
    {"consegnato:", kSaysDelivered},
    {"conferma di recapito", kSaysDelivered},
    {"consegna riuscita", kSaysDelivered},
    {"inoltrato:", kSaysDelivered},
    {"letto:", kSaysDelivered},
    // Dutch
    {"bezorgd:", kSaysDelivered},
    {"afgeleverd:", kSaysDelivered},
    {"bezorgingsbevestiging", kSaysDelivered},
    {"succesvol", kSaysDelivered},
    {"gelezen:", kSaysDelivered},
    {"niet succesvol", kSaysFailure},  // and not what stands above
    // Polish
    {"dostarczono:", kSaysDelivered},
    {"dostarczone:", kSaysDelivered},
    {"dostarczona:", kSaysDelivered},
    {"potwierdzenie dostarczenia", kSaysDelivered},
    {"przeczytano:", kSaysDelivered},
    {"przekazano:", kSaysDelivered},
    // Russian
    {"доставлено:", kSaysDelivered},
    {"Доставлено:", kSaysDelivered},
    {"успешно доставлен", kSaysDelivered},
    {"Успешно доставлен", kSaysDelivered},
    {"уведомление о доставке", kSaysDelivered},
    {"Уведомление о доставке", kSaysDelivered},
    {"прочитано:", kSaysDelivered},
    {"Прочитано:", kSaysDelivered},
    {"ретранслировано:", kSaysDelivered},
    {"не успешно", kSaysFailure},  // and not what stands above
    // Japanese
    {"配信済み", kSaysDelivered},
    {"配信完了", kSaysDelivered},
    {"配信されました", kSaysDelivered},
    {"配達済み", kSaysDelivered},
    {"開封済み", kSaysDelivered},
    {"中継済み", kSaysDelivered},
    // Chinese
    {"已送达", kSaysDelivered},
    {"已传递", kSaysDelivered},
    {"传递成功", kSaysDelivered},
    {"投递成功", kSaysDelivered},
    {"送达成功", kSaysDelivered},
    {"已中继", kSaysDelivered},
    {"已读", kSaysDelivered},
    {"未能送达", kSaysFailure},  // and not what stands above
};

constexpr Word kSuccessNotices[] = {
    // English
    {"successfully delivered", kSaysDelivered},
    {"delivered successfully", kSaysDelivered},
    {"was delivered", kSaysDelivered},
    {"were delivered", kSaysDelivered},
    {"has been delivered", kSaysDelivered},
    {"have been delivered", kSaysDelivered},
    {"been successfully", kSaysDelivered},
    {"delivery to these recipients or distribution lists is complete", kSaysDelivered},
    {"delivery to these recipients or groups is complete", kSaysDelivered},
    {"had successful delivery", kSaysDelivered},
    {"successful delivery", kSaysDelivered},
    {"successfully relayed", kSaysDelivered},
    {"delivered to mailbox", kSaysDelivered},
    {"recipient successfully notified", kSaysDelivered},
    {"list was expanded", kSaysDelivered},
    {"group was expanded", kSaysDelivered},
    {"not successfully", kSaysFailure},       // and not what stands above
    {"unsuccessful", kSaysFailure},           // and not what stands above
    {"not be successfully", kSaysFailure},    // and not what stands above
    {"not been successfully", kSaysFailure},  // and not what stands above
    {"not successful", kSaysFailure},         // and not what stands above
    // German
    {"erfolgreich zugestellt", kSaysDelivered},
    {"wurde zugestellt", kSaysDelivered},
    {"wurden zugestellt", kSaysDelivered},
    {"erfolgreich übermittelt", kSaysDelivered},
    {"erfolgreich an", kSaysDelivered},
    {"empfänger zugestellt", kSaysDelivered},
    {"empfängern zugestellt", kSaysDelivered},
    {"empfänger übermittelt", kSaysDelivered},
    {"zugestellt an", kSaysDelivered},
    {"nicht erfolgreich", kSaysFailure},  // and not what stands above
    // French
    {"a été remis", kSaysDelivered},
    {"ont été remis", kSaysDelivered},
    {"remis avec succès", kSaysDelivered},
    {"a été livré", kSaysDelivered},
    {"a été délivré", kSaysDelivered},
    {"a été distribué", kSaysDelivered},
    {"avec succès", kSaysDelivered},
    {"sans succès", kSaysFailure},  // and not what stands above
    // Spanish and Portuguese
    {"fue entregado", kSaysDelivered},
    {"ha sido entregado", kSaysDelivered},
    {"se ha entregado", kSaysDelivered},
    {"se entregó", kSaysDelivered},
    {"entregado correctamente", kSaysDelivered},
    {"entregado con éxito", kSaysDelivered},
    {"entregada correctamente", kSaysDelivered},
    {"foi entregue", kSaysDelivered},
    {"foram entregues", kSaysDelivered},
    {"entregue com sucesso", kSaysDelivered},
    {"com sucesso", kSaysDelivered},
    {"no se ha entregado", kSaysFailure},    // and not what stands above
    {"no se entregó", kSaysFailure},         // and not what stands above
    {"no ha sido entregado", kSaysFailure},  // and not what stands above
    {"sem sucesso", kSaysFailure},           // and not what stands above
    // Italian
    {"è stato consegnato", kSaysDelivered},
    {"è stato recapitato", kSaysDelivered},
    {"consegnato correttamente", kSaysDelivered},
    {"consegnato con successo", kSaysDelivered},
    {"recapitato correttamente", kSaysDelivered},
    {"con successo", kSaysDelivered},
    {"non è stato recapitato", kSaysFailure},  // and not what stands above
    {"senza successo", kSaysFailure},          // and not what stands above
    // Dutch
    {"is bezorgd", kSaysDelivered},
    {"is afgeleverd", kSaysDelivered},
    {"succesvol bezorgd", kSaysDelivered},
    {"succesvol afgeleverd", kSaysDelivered},
    {"met succes", kSaysDelivered},
    {"niet succesvol", kSaysFailure},  // and not what stands above
    {"zonder succes", kSaysFailure},   // and not what stands above
    // Polish
    {"została dostarczona", kSaysDelivered},
    {"został dostarczony", kSaysDelivered},
    {"pomyślnie dostarcz", kSaysDelivered},
    {"pomyślnie doręcz", kSaysDelivered},
    {"dostarczono do", kSaysDelivered},
    {"nie została dostarczona", kSaysFailure},  // and not what stands above
    {"nie został dostarczon", kSaysFailure},    // and not what stands above
    {"nie dostarczono", kSaysFailure},          // and not what stands above
    // Russian
    {"успешно доставлен", kSaysDelivered},
    {"было доставлено", kSaysDelivered},
    {"была доставлена", kSaysDelivered},
    {"успешно достав", kSaysDelivered},
    {"не было доставлено", kSaysFailure},  // and not what stands above
    {"не была доставлена", kSaysFailure},  // and not what stands above
    // Japanese
    {"配信されました", kSaysDelivered},
    {"正常に配信", kSaysDelivered},
    {"配信が完了", kSaysDelivered},
    {"配達されました", kSaysDelivered},
    {"送信が完了", kSaysDelivered},
    // Chinese
    {"已成功投递", kSaysDelivered},
    {"投递成功", kSaysDelivered},
    {"成功送达", kSaysDelivered},
    {"已送达", kSaysDelivered},
    {"已成功传递", kSaysDelivered},
    {"已传递", kSaysDelivered},
    {"成功投递", kSaysDelivered},
    {"未能成功", kSaysFailure},  // and not what stands above
    {"未成功", kSaysFailure},    // and not what stands above
    {"没有成功", kSaysFailure},  // and not what stands above
};

}  // namespace

std::span<const Word> success_subjects() { return kSuccessSubjects; }
std::span<const Word> success_notices() { return kSuccessNotices; }

}  // namespace bounce::report
