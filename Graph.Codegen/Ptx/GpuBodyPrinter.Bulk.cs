using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <content>Barriers of phases, copies of boxes, and roles: instructions of sm_90 for which LLVM 19 has no intrinsics.</content>
/// <remarks>
/// One thread of a warp arrives and copies for all: its first. What the others did before is in order with that by the
/// barrier of the warp in front, since what a thread arrives for includes what it knows of others (PTX ISA, memory
/// consistency model, causality order). All threads wait, so that each is behind the phase. A wait has the default
/// semantics of PTX, acquire, and an arrival release, both for the block.
/// </remarks>
internal sealed partial class GpuBodyPrinter
{
    private const int FirstWithBulkCopies = 90;

    // Behind a call of inline PTX: it must not be moved into or out of a branch that not all threads take.
    private const string Convergent = " convergent nounwind";

    private LlvmValue? _isFirstOfWarp;

    private void Roles(KRoles roles)
    {
        string done = Out.NewLabel();
        int before = 0;
        KExpr thread = _kernel!.Threads!.Thread;
        foreach (KRole role in roles.Roles)
        {
            (string own, string others) = (Out.NewLabel(), Out.NewLabel());
            LlvmValue isOwn = Evaluate(KBuilder.Less(thread, (long)role.EndWarp * KThreads.WarpSize));
            if (role.FirstWarp > before)
            {
                isOwn = And(isOwn, EvaluateAlso(KBuilder.Call(ScalarOp.LessOrEqual, (long)role.FirstWarp * KThreads.WarpSize, thread)));
            }
            Out.Branch(isOwn, own, others);
            Out.Begin(own);
            Block(role.Body);
            Out.Branch(done);
            Out.Begin(others);
            before = role.EndWarp;
        }
        Out.Branch(done);
        Out.Begin(done);
    }

    // The first thread begins all; the fences let the copies that count, which are not the thread's own doing, see it.
    private void PhaseInit(KPhaseInit init)
    {
        Require(FirstWithBulkCopies, "mbarrier with bytes");
        string first = AddressOf(init.Barriers, null);
        LlvmValue isFirst = Evaluate(KBuilder.Less(_kernel!.Threads!.Thread, 1));
        var text = new System.Text.StringBuilder("{ .reg .pred p; setp.ne.b32 p, $1, 0; ");
        for (int i = 0; i < init.Barriers.Count; i++)
        {
            string place = i == 0 ? "$0" : $"$0+{Number(i * KPhaseBarriers.SizeInBytes)}";
            text.Append($"@p mbarrier.init.shared::cta.b64 [{place}], {Number(init.Barriers.Arrivals)}; ");
        }
        text.Append("@p fence.mbarrier_init.release.cluster; @p fence.proxy.async.shared::cta; }");
        Assembly(text.ToString(), "r,r", $"i32 {first}, {AsWord(isFirst)}");
    }

    private void PhaseArrive(KPhaseArrive arrive)
    {
        Require(FirstWithBulkCopies, "mbarrier with bytes");
        string place = AddressOf(arrive.Barriers, Evaluate(arrive.Index));
        Out.Do($"call void @llvm.nvvm.bar.warp.sync(i32 {AllLanes})");
        string instruction = arrive.Bytes == 0
            ? "@p mbarrier.arrive.shared::cta.b64 _, [$0];"
            : $"@p mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], {Number(arrive.Bytes)};";
        Assembly($"{{ .reg .pred p; setp.ne.b32 p, $1, 0; {instruction} }}", "r,r", $"i32 {place}, {FirstOfWarp()}");
    }

    private void PhaseWait(KPhaseWait wait)
    {
        Require(FirstWithBulkCopies, "mbarrier with bytes");
        string place = AddressOf(wait.Barriers, Evaluate(wait.Index));
        string parity = Cast("trunc", EvaluateAlso(wait.Parity), DType.U32).ToString();
        Assembly(
            "{ .reg .pred p; AGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [$0], $1; @p bra DONE; bra AGAIN; DONE: }",
            "r,r", $"i32 {place}, {parity}");
    }

    private void BulkCopy(KBulkCopy copy)
    {
        Require(FirstWithBulkCopies, "cp.async.bulk.tensor");
        string to = SharedAddress(Element(copy.To, Evaluate(copy.ToIndex), "inbounds "));
        string barrier = AddressOf(copy.Barriers, EvaluateAlso(copy.Barrier));
        string[] at = [.. copy.At.Select(a => Cast("trunc", EvaluateAlso(a), DType.I32).ToString())];
        string coordinates = string.Join(", ", at.Select((_, i) => $"${Number(i + 4)}"));
        string instruction = $"@p cp.async.bulk.tensor.{Number(at.Length)}d.shared::cluster.global.mbarrier::complete_tx::bytes "
            + $"[$0], [$1, {{{coordinates}}}], [$2];";
        Assembly(
            $"{{ .reg .pred p; setp.ne.b32 p, $3, 0; {instruction} }}",
            "r,l,r,r" + string.Concat(at.Select(_ => ",r")),
            $"i32 {to}, ptr %m{Number(MapNumber(copy.From))}, i32 {barrier}, {FirstOfWarp()}, {string.Join(", ", at)}");
    }

    private int MapNumber(KTensorMap map) => _kernel!.Maps.ToList().IndexOf(map);

    // 1 for the first thread of a warp, computed once.
    private string FirstOfWarp()
    {
        if (_isFirstOfWarp is not { } known)
        {
            string lane = Out.AddToEntry("call i32 @llvm.nvvm.read.ptx.sreg.laneid(), !range !{i32 0, i32 32}");
            string isFirst = Out.AddToEntry($"icmp eq i32 {lane}, 0");
            _isFirstOfWarp = known = new LlvmValue(Out.AddToEntry($"zext i1 {isFirst} to i32"), Word);
        }
        return known.ToString();
    }

    private string AddressOf(KPhaseBarriers barriers, LlvmValue? index)
    {
        string first = Out.AddToEntry($"getelementptr inbounds i8, ptr addrspace(3) {OwnName}_shared, i64 {Shared[barriers]}");
        return SharedAddress(index is { } number
            ? Out.Add(KType.Index, $"getelementptr inbounds i64, ptr addrspace(3) {first}, {number}").Name
            : first);
    }

    // What instructions take as an address of shared memory.
    private string SharedAddress(string pointer) => Out.Add(Word, $"ptrtoint ptr addrspace(3) {pointer} to i32").Name;

    private string AsWord(LlvmValue condition) => Cast("zext", condition, DType.U32).ToString();

    private void Assembly(string text, string constraints, string operands) =>
        Out.Do($"call void asm sideeffect \"{text}\", \"{constraints},~{{memory}}\"({operands}){Convergent}");
}
