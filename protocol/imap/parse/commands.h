#pragma once

#include "protocol/imap/command.h"
#include "protocol/imap/parse/cursor.h"

/// One function per command: what follows the command's name, to the end of the line.
namespace protocol::parse {

Parsed<command::Authenticate> ParseAuthenticate(Cursor& in);
Parsed<command::Login> ParseLogin(Cursor& in);
Parsed<command::Compress> ParseCompress(Cursor& in);
Parsed<command::Id> ParseId(Cursor& in);
Parsed<command::Enable> ParseEnable(Cursor& in);
Parsed<command::Select> ParseSelect(Cursor& in);
Parsed<command::Examine> ParseExamine(Cursor& in);
Parsed<command::Create> ParseCreate(Cursor& in);
Parsed<command::Delete> ParseDelete(Cursor& in);
Parsed<command::Rename> ParseRename(Cursor& in);
Parsed<command::Subscribe> ParseSubscribe(Cursor& in);
Parsed<command::Unsubscribe> ParseUnsubscribe(Cursor& in);
Parsed<command::List> ParseList(Cursor& in);
Parsed<command::Lsub> ParseLsub(Cursor& in);
Parsed<command::Status> ParseStatus(Cursor& in);
Parsed<command::GetMetadata> ParseGetMetadata(Cursor& in);
Parsed<command::SetMetadata> ParseSetMetadata(Cursor& in);
Parsed<command::GetQuota> ParseGetQuota(Cursor& in);
Parsed<command::GetQuotaRoot> ParseGetQuotaRoot(Cursor& in);
Parsed<command::SetQuota> ParseSetQuota(Cursor& in);
Parsed<command::SetAcl> ParseSetAcl(Cursor& in);
Parsed<command::DeleteAcl> ParseDeleteAcl(Cursor& in);
Parsed<command::GetAcl> ParseGetAcl(Cursor& in);
Parsed<command::ListRights> ParseListRights(Cursor& in);
Parsed<command::MyRights> ParseMyRights(Cursor& in);
Parsed<command::CancelUpdate> ParseCancelUpdate(Cursor& in);
Parsed<command::Notify> ParseNotify(Cursor& in);
Parsed<command::ResetKey> ParseResetKey(Cursor& in);
Parsed<command::GenUrlAuth> ParseGenUrlAuth(Cursor& in);
Parsed<command::UrlFetch> ParseUrlFetch(Cursor& in);
Parsed<command::Expunge> ParseExpunge(Cursor& in, NumberKind numbers);
Parsed<command::Search> ParseSearch(Cursor& in, NumberKind numbers);
Parsed<command::Sort> ParseSort(Cursor& in, NumberKind numbers);
Parsed<command::Thread> ParseThread(Cursor& in, NumberKind numbers);
Parsed<command::Fetch> ParseFetch(Cursor& in, NumberKind numbers);
Parsed<command::Store> ParseStore(Cursor& in, NumberKind numbers);
Parsed<command::Copy> ParseCopy(Cursor& in, NumberKind numbers);
Parsed<command::Move> ParseMove(Cursor& in, NumberKind numbers);

}  // namespace protocol::parse
