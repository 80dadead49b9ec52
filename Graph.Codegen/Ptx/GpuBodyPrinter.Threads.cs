using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <content>What threads do together: barriers, exchange, and copies that go on meanwhile.</content>
internal sealed partial class GpuBodyPrinter
{
    private const int FirstWithAsyncCopies = 80;

    // Of shfl.sync: the lanes that come, and the last lane of a segment of a whole warp.
    private const int AllLanes = -1;
    private const int LastLane = KThreads.WarpSize - 1;

    /// <inheritdoc/>
    protected override void MachineStatement(KStmt statement)
    {
        switch (statement)
        {
            case KBarrier:
                Out.Do("call void @llvm.nvvm.barrier0()");
                break;
            case KWarpBarrier:
                Out.Do($"call void @llvm.nvvm.bar.warp.sync(i32 {AllLanes})");
                break;
            case KExchange exchange:
                Exchange(exchange);
                break;
            case KAsyncCopy copy:
                AsyncCopy(copy);
                break;
            case KAsyncCommit or KAsyncWait when target.Architecture < FirstWithAsyncCopies:
                break; // groups without copies: there can be none
            case KAsyncCommit:
                Out.Do("call void @llvm.nvvm.cp.async.commit.group()");
                break;
            case KAsyncWait wait:
                Out.Do($"call void @llvm.nvvm.cp.async.wait.group(i32 {Number(wait.Pending)})");
                break;
            case KFragmentLoad load:
                FragmentLoad(load);
                break;
            case KFragmentDot dot:
                FragmentDot(dot);
                break;
            case KRoles roles:
                Roles(roles);
                break;
            case KPhaseInit init:
                PhaseInit(init);
                break;
            case KPhaseArrive arrive:
                PhaseArrive(arrive);
                break;
            case KPhaseWait wait:
                PhaseWait(wait);
                break;
            case KBulkCopy copy:
                BulkCopy(copy);
                break;
            case KWarpgroupDot dot:
                WarpgroupDot(dot);
                break;
            case KWarpgroupFence:
                WarpgroupFence();
                break;
            case KWarpgroupCommit:
                WarpgroupCommit();
                break;
            case KWarpgroupWait wait:
                WarpgroupWait(wait);
                break;
            default:
                base.MachineStatement(statement);
                break;
        }
    }

    private void Exchange(KExchange exchange)
    {
        LlvmValue words = AsWords(Evaluate(exchange.Value));
        string operand = Cast("trunc", EvaluateAlso(exchange.Operand), DType.U32).ToString();
        (string kind, int clamp) = exchange.Kind switch
        {
            KExchangeKind.Lane => ("idx", LastLane),
            KExchangeKind.Xor => ("bfly", LastLane),
            KExchangeKind.Up => ("up", 0),
            _ => ("down", LastLane),
        };
        LlvmValue taken = new("poison", words.Type);
        for (int i = 0; i < words.Type.Lanes; i++)
        {
            LlvmValue word = Out.Add(
                Word,
                $"call i32 @llvm.nvvm.shfl.sync.{kind}.i32(i32 {AllLanes}, {Extract(words, i)}, {operand}, i32 {Number(clamp)})");
            taken = Insert(taken, word, i);
        }
        Bind(exchange.Variable, FromWords(taken, exchange.Variable.Type));
    }

    // Only 16 bytes can go around the first cache, where nobody looks for them.
    private void AsyncCopy(KAsyncCopy copy)
    {
        Require(FirstWithAsyncCopies, "cp.async");
        int size = copy.Lanes * copy.To.Element.SizeInBytes();
        if (size is not (4 or 8 or 16))
        {
            throw Bug($"an asynchronous copy takes 4, 8 or 16 bytes, not {size}");
        }
        string to = Element(copy.To, Evaluate(copy.ToIndex), "inbounds ");
        string from = Element(copy.From, EvaluateAlso(copy.FromIndex), copy.Condition is null ? "inbounds " : "");
        string name = $"llvm.nvvm.cp.async.{(size == MostBytesAtOnce ? "cg" : "ca")}.shared.global.{Number(size)}";
        string places = $"ptr addrspace(3) {to}, ptr addrspace(1) {from}";
        if (copy.Condition is null)
        {
            Out.Do($"call void @{name}({places})");
            return;
        }
        LlvmValue read = Select(EvaluateAlso(copy.Condition), Number(Word, size), Number(Word, 0));
        Out.Do($"call void @{name}.s({places}, {read})");
    }
}
