namespace Graphene.Codegen.Llvm;

/// <content>Accesses that leave lanes out, and stores around the caches.</content>
/// <remarks>A scalar that is off accesses a place on the stack instead, which costs less than a branch.</remarks>
internal sealed partial class ProcessorBodyPrinter
{
    // The shortest vector that is written around the caches, and how such a store must be aligned.
    private const int PieceInBytes = 16;

    private string? _zeros;
    private string? _discarded;
    private bool _streams;

    // Loads by lanes that are off read this.
    private string Zeros
    {
        get
        {
            if (_zeros is null)
            {
                _zeros = Alloca("i64", ", align 8");
                Out.DoInEntry($"store i64 0, ptr {_zeros}, align 8");
            }
            return _zeros;
        }
    }

    // Stores by lanes that are off go here.
    private string Discarded => _discarded ??= Alloca("i64", ", align 8");

    /// <inheritdoc/>
    protected override LlvmValue LoadWhere(LlvmValue condition, string place, KBuffer buffer, KType type, LlvmValue? otherwise)
    {
        LlvmValue loaded = LoadFrom(Choose(condition, place, Zeros), buffer, type);
        return otherwise is { } value ? Select(condition, loaded, value) : loaded;
    }

    /// <inheritdoc/>
    protected override void StoreWhere(LlvmValue condition, string place, KBuffer buffer, LlvmValue value) =>
        StoreTo(Choose(condition, place, Discarded), buffer, value);

    /// <inheritdoc/>
    protected override LlvmValue LoadLanesWhere(LlvmValue mask, string place, KLoad load, LlvmValue? otherwise)
    {
        string memory = LlvmTypes.Memory(load.Type);
        string inactive = otherwise is { } lanes ? ToMemory(lanes) : $"{memory} zeroinitializer";
        string access = load.Buffer.IsReadOnly ? LlvmMetadata.ReadOnly : "";
        LlvmValue raw = Out.Add(
            load.Type,
            $"call {memory} @llvm.masked.load.{MemorySuffix(load.Type)}.p0(ptr {place}, "
            + $"i32 {Alignment(load.Buffer)}, {mask}, {inactive}){access}");
        return FromMemory(raw);
    }

    /// <inheritdoc/>
    protected override void StoreLanesWhere(LlvmValue mask, string place, KStore store, LlvmValue value)
    {
        string access = store.Buffer.IsScratch ? "" : LlvmMetadata.Written;
        Out.Do(
            $"call void @llvm.masked.store.{MemorySuffix(value.Type)}.p0({ToMemory(value)}, ptr {place}, "
            + $"i32 {Alignment(store.Buffer)}, {mask}){access}");
    }

    /// <inheritdoc/>
    protected override void Stream(KStore store, string place, LlvmValue value)
    {
        int size = Math.Min(value.Type.Lanes * store.Buffer.Element.SizeInBytes(), Target.VectorBits / 8);
        if (!CanStream(value.Type, size))
        {
            StoreTo(place, store.Buffer, value);
            return;
        }

        // The instructions want aligned places, and the buffer may be a caller's: what malloc gives is aligned to 16 bytes, and so are
        // pieces of vectors there. Neighbouring stores take the same way, so the branches are always predicted.
        LlvmValue address = Out.Add(KType.Index, $"ptrtoint ptr {place} to i64");
        string done = Out.NewLabel();
        StreamAt(size, whole => StreamTo(whole, value, size));
        if (size > PieceInBytes)
        {
            StreamAt(PieceInBytes, to => StreamPieces(store.Buffer, to, value));
        }
        StoreTo(place, store.Buffer, value);
        Out.Branch(done);
        Out.Begin(done);
        _streams = true;

        void StreamAt(int alignment, Action<string> write)
        {
            (string around, string through) = (Out.NewLabel(), Out.NewLabel());
            LlvmValue low = Out.Add(KType.Index, $"and {address}, {alignment - 1}");
            Out.Branch(Out.Add(Bool, $"icmp eq {low}, 0"), around, through);
            Out.Begin(around);
            write(place);
            Out.Branch(done);
            Out.Begin(through);
        }
    }

    private void StreamPieces(KBuffer buffer, string place, LlvmValue value)
    {
        int lanes = PieceInBytes / buffer.Element.SizeInBytes();
        for (int first = 0; first < value.Type.Lanes; first += lanes)
        {
            string picked = string.Join(", ", Enumerable.Range(first, lanes).Select(lane => $"i32 {lane}"));
            LlvmValue piece = Out.Add(
                value.Type with { Lanes = lanes },
                $"shufflevector {ToMemory(value)}, {LlvmTypes.Memory(value.Type)} poison, <{lanes} x i32> <{picked}>");
            int offset = first * buffer.Element.SizeInBytes();
            StreamTo(Out.Add(KType.Index, $"getelementptr inbounds i8, ptr {place}, i64 {offset}").Name, piece, PieceInBytes);
        }
    }

    private void StreamTo(string place, LlvmValue value, int alignment) =>
        Out.Do($"store {ToMemory(value)}, ptr {place}, align {alignment}{LlvmMetadata.Written}{LlvmMetadata.Streaming}");

    // For reading, into the first or the second cache, data.
    /// <inheritdoc/>
    protected override void Prefetch(string place, bool isSoon) =>
        Out.Do($"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 {(isSoon ? 3 : 2)}, i32 1)");

    private bool CanStream(KType type, int size) =>
        Target.Architecture is LlvmArchitecture.X64 or LlvmArchitecture.Arm64 && type.Element != DType.Bool
        && size >= PieceInBytes && System.Numerics.BitOperations.IsPow2(size);

    // On x86 such stores become visible to other threads in any order, unless there is a fence behind them.
    private void EndStreaming()
    {
        if (_streams && Target.Architecture == LlvmArchitecture.X64)
        {
            Out.Do("call void @llvm.x86.sse.sfence()");
        }
    }

    private string Choose(LlvmValue condition, string whenTrue, string whenFalse) =>
        Out.Add(KType.Index, $"select {condition}, ptr {whenTrue}, ptr {whenFalse}").Name;

    private static string MemorySuffix(KType type) =>
        type.Element == DType.Bool ? $"v{type.Lanes}i8" : LlvmTypes.Suffix(type);
}
