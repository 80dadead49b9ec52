namespace Graphene.Codegen.Llvm;

/// <content>Loads and stores. Bool is a byte in memory: not zero is true.</content>
/// <remarks>
/// Gathers and scatters go lane by lane on every target: on most processors that is as fast as their instructions.
/// </remarks>
internal abstract partial class LlvmBodyPrinter
{
    /// <summary>Loads a scalar where a condition holds.</summary>
    /// <returns>What was loaded; elsewhere the other value, or zero when that is null.</returns>
    protected abstract LlvmValue LoadWhere(LlvmValue condition, string place, KBuffer buffer, KType type, LlvmValue? otherwise);

    /// <summary>Stores a scalar where a condition holds.</summary>
    protected abstract void StoreWhere(LlvmValue condition, string place, KBuffer buffer, LlvmValue value);

    /// <summary>Loads the lanes that are on; the others have the other value, or zero when that is null.</summary>
    protected abstract LlvmValue LoadLanesWhere(LlvmValue mask, string place, KLoad load, LlvmValue? otherwise);

    /// <summary>Stores the lanes that are on.</summary>
    protected abstract void StoreLanesWhere(LlvmValue mask, string place, KStore store, LlvmValue value);

    /// <summary>Stores what is not read soon.</summary>
    protected abstract void Stream(KStore store, string place, LlvmValue value);

    /// <summary>Asks for a place, which need not exist; into the first cache when it is read soon, else the second.</summary>
    protected abstract void Prefetch(string place, bool isSoon);

    private LlvmValue Load(KLoad load)
    {
        LlvmValue? otherwise = load.Otherwise is { } e ? _known[e] : null;
        if (load.Mask is null)
        {
            return LoadFrom(PlaceOf(load.Buffer, load.Index, "inbounds "), load.Buffer, load.Type, load.Alignment);
        }
        LlvmValue mask = _known[load.Mask];
        string place = PlaceOf(load.Buffer, load.Index, "");
        return load.Lanes == 1
            ? LoadWhere(mask, place, load.Buffer, load.Type, otherwise)
            : LoadLanesWhere(mask, place, load, otherwise);
    }

    private LlvmValue Gather(KGather gather)
    {
        LlvmValue indices = _known[gather.Indices];
        LlvmValue? mask = gather.Mask is { } m ? _known[m] : null;
        LlvmValue? otherwise = gather.Otherwise is { } e ? _known[e] : null;
        KType scalar = gather.Type with { Lanes = 1 };
        LlvmValue result = new("poison", gather.Type);
        for (int lane = 0; lane < gather.Type.Lanes; lane++)
        {
            string place = Element(gather.Buffer, Extract(indices, lane), mask is null ? "inbounds " : "");
            LlvmValue loaded = mask is { } lanes
                ? LoadWhere(Extract(lanes, lane), place, gather.Buffer, scalar, null)
                : LoadFrom(place, gather.Buffer, scalar);
            result = Insert(result, loaded, lane);
        }
        return mask is { } on && otherwise is { } off ? Select(on, result, off) : result;
    }

    private void Store(KStore store)
    {
        LlvmValue value = Evaluate(store.Value);
        EvaluateAlso(Varying(store.Index));
        LlvmValue? mask = store.Mask is { } m ? EvaluateAlso(m) : null;
        string place = PlaceOf(store.Buffer, store.Index, mask is null ? "inbounds " : "");
        switch (mask)
        {
            case null when store.IsStreaming:
                Stream(store, place, value);
                break;
            case null:
                StoreTo(place, store.Buffer, value, store.Alignment);
                break;
            case { } condition when value.Type.IsScalar:
                StoreWhere(condition, place, store.Buffer, value);
                break;
            case { } lanes:
                StoreLanesWhere(lanes, place, store, value);
                break;
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
                StoreWhere(Extract(lanes, lane), place, scatter.Buffer, Extract(value, lane));
                continue;
            }
            StoreTo(place, scatter.Buffer, Extract(value, lane));
        }
    }

    /// <summary>Loads lanes.</summary>
    protected virtual LlvmValue LoadFrom(string place, KBuffer buffer, KType type, int alignment = 1)
    {
        string access = buffer.IsReadOnly ? LlvmMetadata.Invariant + LlvmMetadata.ReadOnly : "";
        string memory = LlvmTypes.Memory(type);
        return FromMemory(Out.Add(type, $"load {memory}, {PointerType(buffer)} {place}, align {Alignment(buffer, alignment)}{access}"));
    }

    /// <summary>Stores lanes.</summary>
    protected virtual void StoreTo(string place, KBuffer buffer, LlvmValue value, int alignment = 1)
    {
        string access = buffer.IsScratch ? "" : LlvmMetadata.Written;
        Out.Do($"store {ToMemory(value)}, {PointerType(buffer)} {place}, align {Alignment(buffer, alignment)}{access}");
    }

    /// <summary>The address of an element.</summary>
    protected string Element(KBuffer buffer, LlvmValue index, string inbounds)
    {
        string type = LlvmTypes.MemoryElement(buffer.Element);
        return Out.Add(KType.Index, $"getelementptr {inbounds}{type}, {PointerType(buffer)} {Address(buffer)}, {index}").Name;
    }

    /// <summary>The alignment of an access in bytes.</summary>
    /// <param name="buffer">The buffer.</param>
    /// <param name="elements">Of how many elements the index is a multiple.</param>
    protected static int Alignment(KBuffer buffer, int elements = 1) => buffer.Element.SizeInBytes() * elements;

    /// <summary>An operand with its type, as memory holds it.</summary>
    protected string ToMemory(LlvmValue value)
    {
        if (value.Type.Element != DType.Bool)
        {
            return value.ToString();
        }
        string memory = LlvmTypes.Memory(value.Type);
        return $"{memory} {Out.Add(value.Type, $"zext {value} to {memory}").Name}";
    }

    /// <summary>A value from a register that was loaded with its memory type.</summary>
    protected LlvmValue FromMemory(LlvmValue raw) => raw.Type.Element == DType.Bool
        ? Out.Add(raw.Type, $"icmp ne {LlvmTypes.Memory(raw.Type)} {raw.Name}, {(raw.Type.IsScalar ? "0" : "zeroinitializer")}")
        : raw;
}
