namespace Graphene.Codegen.Llvm;

/// <content>Loads and stores. Bool is a byte in memory: not zero is true.</content>
/// <remarks>
/// Gathers and scatters go lane by lane on every target: on most processors that is as fast as their instructions. A lane that
/// is off accesses a place on the stack instead, which costs less than a branch.
/// </remarks>
internal sealed partial class LlvmBodyPrinter
{
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
                _out.DoInEntry($"store i64 0, ptr {_zeros}, align 8");
            }
            return _zeros;
        }
    }

    // Stores by lanes that are off go here.
    private string Discarded => _discarded ??= Alloca("i64", ", align 8");

    private LlvmValue Load(KLoad load)
    {
        LlvmValue index = _known[load.Index];
        LlvmValue? otherwise = load.Otherwise is { } e ? _known[e] : null;
        if (load.Mask is null)
        {
            return LoadFrom(Element(load.Buffer, index, "inbounds "), load.Buffer, load.Type);
        }
        LlvmValue mask = _known[load.Mask];
        string place = Element(load.Buffer, index, "");
        if (load.Lanes == 1)
        {
            LlvmValue loaded = LoadFrom(Choose(mask, place, Zeros), load.Buffer, load.Type);
            return otherwise is { } value ? Select(mask, loaded, value) : loaded;
        }
        string memory = LlvmTypes.Memory(load.Type);
        string inactive = otherwise is { } lanes ? ToMemory(lanes) : $"{memory} zeroinitializer";
        string access = load.Buffer.IsReadOnly ? LlvmMetadata.ReadOnly : "";
        LlvmValue raw = _out.Add(
            load.Type,
            $"call {memory} @llvm.masked.load.{MemorySuffix(load.Type)}.p0(ptr {place}, "
            + $"i32 {Alignment(load.Buffer)}, {mask}, {inactive}){access}");
        return FromMemory(raw);
    }

    private LlvmValue Gather(KGather gather)
    {
        LlvmValue indices = _known[gather.Indices];
        LlvmValue? mask = gather.Mask is { } m ? _known[m] : null;
        LlvmValue result = new("poison", gather.Type);
        for (int lane = 0; lane < gather.Type.Lanes; lane++)
        {
            string place = Element(gather.Buffer, Extract(indices, lane), mask is null ? "inbounds " : "");
            if (mask is { } lanes)
            {
                place = Choose(Extract(lanes, lane), place, Zeros);
            }
            result = Insert(result, LoadFrom(place, gather.Buffer, gather.Type with { Lanes = 1 }), lane);
        }
        return mask is { } on && gather.Otherwise is { } otherwise ? Select(on, result, _known[otherwise]) : result;
    }

    private void Store(KStore store)
    {
        LlvmValue value = Evaluate(store.Value);
        LlvmValue index = EvaluateAlso(store.Index);
        LlvmValue? mask = store.Mask is { } m ? EvaluateAlso(m) : null;
        if (mask is null)
        {
            StoreWhole(store, Element(store.Buffer, index, "inbounds "), value);
            return;
        }
        string place = Element(store.Buffer, index, "");
        if (value.Type.IsScalar)
        {
            StoreTo(Choose(mask.Value, place, Discarded), store.Buffer, value);
            return;
        }
        string access = store.Buffer.IsScratch ? "" : LlvmMetadata.Written;
        _out.Do(
            $"call void @llvm.masked.store.{MemorySuffix(value.Type)}.p0({ToMemory(value)}, ptr {place}, "
            + $"i32 {Alignment(store.Buffer)}, {mask}){access}");
    }

    private void StoreWhole(KStore store, string place, LlvmValue value)
    {
        int size = Math.Min(value.Type.Lanes * store.Buffer.Element.SizeInBytes(), target.VectorBits / 8);
        if (!store.IsStreaming || !CanStream(value.Type, size))
        {
            StoreTo(place, store.Buffer, value);
            return;
        }

        // The instructions want whole vectors at aligned places, and the buffer may be a caller's. Neighbouring stores take
        // the same way, so the branch is always predicted.
        LlvmValue address = _out.Add(KType.Index, $"ptrtoint ptr {place} to i64");
        LlvmValue low = _out.Add(KType.Index, $"and {address}, {size - 1}");
        (string around, string through, string done) = (_out.NewLabel(), _out.NewLabel(), _out.NewLabel());
        _out.Branch(_out.Add(Bool, $"icmp eq {low}, 0"), around, through);
        _out.Begin(around);
        _out.Do($"store {ToMemory(value)}, ptr {place}, align {size}{LlvmMetadata.Written}{LlvmMetadata.Streaming}");
        _out.Branch(done);
        _out.Begin(through);
        StoreTo(place, store.Buffer, value);
        _out.Branch(done);
        _out.Begin(done);
        _streams = true;
    }

    private bool CanStream(KType type, int size) =>
        target.Architecture is LlvmArchitecture.X64 or LlvmArchitecture.Arm64 && type.Element != DType.Bool
        && size >= 16 && System.Numerics.BitOperations.IsPow2(size);

    // On x86 such stores become visible to other threads in any order, unless there is a fence behind them.
    private void EndStreaming()
    {
        if (_streams && target.Architecture == LlvmArchitecture.X64)
        {
            _out.Do("call void @llvm.x86.sse.sfence()");
        }
    }

    private void Scatter(KScatter scatter)
    {
        LlvmValue value = Evaluate(scatter.Value);
        LlvmValue indices = EvaluateAlso(scatter.Indices);
        LlvmValue? mask = scatter.Mask is { } m ? EvaluateAlso(m) : null;
        for (int lane = 0; lane < value.Type.Lanes; lane++)
        {
            string place = Element(scatter.Buffer, Extract(indices, lane), mask is null ? "inbounds " : "");
            if (mask is { } lanes)
            {
                place = Choose(Extract(lanes, lane), place, Discarded);
            }
            StoreTo(place, scatter.Buffer, Extract(value, lane));
        }
    }

    // For reading, into the second cache, data.
    private void Prefetch(KPrefetch prefetch)
    {
        LlvmValue index = Evaluate(prefetch.Index);
        _out.Do($"call void @llvm.prefetch.p0(ptr {Element(prefetch.Buffer, index, "")}, i32 0, i32 2, i32 1)");
    }

    private LlvmValue LoadFrom(string place, KBuffer buffer, KType type)
    {
        string access = buffer.IsReadOnly ? LlvmMetadata.Invariant + LlvmMetadata.ReadOnly : "";
        string memory = LlvmTypes.Memory(type);
        return FromMemory(_out.Add(type, $"load {memory}, ptr {place}, align {Alignment(buffer)}{access}"));
    }

    private void StoreTo(string place, KBuffer buffer, LlvmValue value)
    {
        string access = buffer.IsScratch ? "" : LlvmMetadata.Written;
        _out.Do($"store {ToMemory(value)}, ptr {place}, align {Alignment(buffer)}{access}");
    }

    private string Element(KBuffer buffer, LlvmValue index, string inbounds)
    {
        string type = LlvmTypes.MemoryElement(buffer.Element);
        return _out.Add(KType.Index, $"getelementptr {inbounds}{type}, ptr {Address(buffer)}, {index}").Name;
    }

    private string Choose(LlvmValue condition, string whenTrue, string whenFalse) =>
        _out.Add(KType.Index, $"select {condition}, ptr {whenTrue}, ptr {whenFalse}").Name;

    private static int Alignment(KBuffer buffer) => buffer.Element.SizeInBytes();

    private static string MemorySuffix(KType type) =>
        type.Element == DType.Bool ? $"v{type.Lanes}i8" : LlvmTypes.Suffix(type);

    // An operand with its type, as memory holds it.
    private string ToMemory(LlvmValue value)
    {
        if (value.Type.Element != DType.Bool)
        {
            return value.ToString();
        }
        string memory = LlvmTypes.Memory(value.Type);
        return $"{memory} {_out.Add(value.Type, $"zext {value} to {memory}").Name}";
    }

    // The register was loaded with its memory type.
    private LlvmValue FromMemory(LlvmValue raw) => raw.Type.Element == DType.Bool
        ? _out.Add(raw.Type, $"icmp ne {LlvmTypes.Memory(raw.Type)} {raw.Name}, {(raw.Type.IsScalar ? "0" : "zeroinitializer")}")
        : raw;
}
