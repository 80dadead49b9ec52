using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <content>Accesses that leave lanes out, wide accesses, and stores that are not kept in the caches.</content>
internal sealed partial class GpuBodyPrinter
{
    private const int MostBytesAtOnce = 16;
    private const int WordInBytes = 4;

    private static readonly KType Word = new(DType.U32);

    /// <inheritdoc/>
    protected override LlvmValue LoadFrom(string place, KBuffer buffer, KType type, int alignment = 1)
    {
        int words = Words(buffer, type, alignment);
        if (words == 0)
        {
            return base.LoadFrom(place, buffer, type, alignment);
        }
        string access = buffer.IsReadOnly ? LlvmMetadata.Invariant + LlvmMetadata.ReadOnly : "";
        string memory = LlvmTypes.Vector("i32", words);
        LlvmValue raw = Out.Add(type, $"load {memory}, {PointerType(buffer)} {place}, align {Alignment(buffer, alignment)}{access}");
        return FromMemory(Out.Add(type, $"bitcast {memory} {raw.Name} to {LlvmTypes.Memory(type)}"));
    }

    /// <inheritdoc/>
    protected override void StoreTo(string place, KBuffer buffer, LlvmValue value, int alignment = 1)
    {
        int words = Words(buffer, value.Type, alignment);
        if (words == 0)
        {
            base.StoreTo(place, buffer, value, alignment);
            return;
        }
        string access = buffer.IsScratch ? "" : LlvmMetadata.Written;
        string memory = LlvmTypes.Vector("i32", words);
        LlvmValue raw = Out.Add(value.Type, $"bitcast {ToMemory(value)} to {memory}");
        Out.Do($"store {memory} {raw.Name}, {PointerType(buffer)} {place}, align {Alignment(buffer, alignment)}{access}");
    }

    /// <inheritdoc/>
    protected override LlvmValue LoadWhere(LlvmValue condition, string place, KBuffer buffer, KType type, LlvmValue? otherwise) =>
        Where(condition, type, otherwise, () => LoadFrom(place, buffer, type));

    /// <inheritdoc/>
    protected override void StoreWhere(LlvmValue condition, string place, KBuffer buffer, LlvmValue value) =>
        Where(condition, () => StoreTo(place, buffer, value));

    /// <inheritdoc/>
    protected override LlvmValue LoadLanesWhere(LlvmValue mask, string place, KLoad load, LlvmValue? otherwise)
    {
        if (load.Mask is KBroadcast)
        {
            return Where(Extract(mask, 0), load.Type, otherwise, () => LoadFrom(place, load.Buffer, load.Type, load.Alignment));
        }
        LlvmValue result = new("poison", load.Type);
        KType scalar = load.Type with { Lanes = 1 };
        for (int lane = 0; lane < load.Lanes; lane++)
        {
            LlvmValue? off = otherwise is { } value ? Extract(value, lane) : null;
            LlvmValue loaded = LoadWhere(Extract(mask, lane), Behind(place, load.Buffer, lane), load.Buffer, scalar, off);
            result = Insert(result, loaded, lane);
        }
        return result;
    }

    /// <inheritdoc/>
    protected override void StoreLanesWhere(LlvmValue mask, string place, KStore store, LlvmValue value)
    {
        if (store.Mask is KBroadcast)
        {
            Where(Extract(mask, 0), () => StoreTo(place, store.Buffer, value, store.Alignment));
            return;
        }
        for (int lane = 0; lane < value.Type.Lanes; lane++)
        {
            StoreWhere(Extract(mask, lane), Behind(place, store.Buffer, lane), store.Buffer, Extract(value, lane));
        }
    }

    /// <inheritdoc/>
    /// <remarks>There is no intrinsic for <c>.cs</c>: evict first.</remarks>
    protected override void Stream(KStore store, string place, LlvmValue value)
    {
        int size = store.Buffer.Element.SizeInBytes() * value.Type.Lanes;
        int alignment = Math.Min(Alignment(store.Buffer, store.Alignment), MostBytesAtOnce);
        if (alignment < WordInBytes || size % alignment != 0)
        {
            StoreTo(place, store.Buffer, value, store.Alignment);
            return;
        }
        int words = alignment / WordInBytes;
        LlvmValue all = AsWords(value);
        for (int i = 0; i < size / WordInBytes; i += words)
        {
            string at = Out.Add(KType.Index, $"getelementptr inbounds i8, {PointerType(store.Buffer)} {place}, i64 {i * WordInBytes}").Name;
            LlvmValue[] parts = [.. Enumerable.Range(i, words).Select(w => Extract(all, w))];
            string operands = words == 1 ? "$1" : $"{{{string.Join(", ", Enumerable.Range(1, words).Select(w => $"${Number(w)}"))}}}";
            string instruction = $"st.global.cs.{(words == 1 ? "" : $"v{Number(words)}.")}b32 [$0], {operands};";
            string constraints = $"l{string.Concat(Enumerable.Repeat(",r", words))},~{{memory}}";
            Out.Do(
                $"call void asm sideeffect \"{instruction}\", \"{constraints}\"({PointerType(store.Buffer)} {at}, "
                    + $"{string.Join(", ", parts)})");
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Left out: what hides latency on a GPU is other warps, and PTX does not say what happens where a
    /// place does not exist.
    /// </remarks>
    protected override void Prefetch(string place, bool isSoon)
    {
    }

    // How many words of 32 bits an access of narrow elements takes; 0 where it goes by elements.
    private static int Words(KBuffer buffer, KType type, int alignment)
    {
        int element = buffer.Element.SizeInBytes();
        int size = type.Lanes * element;
        return element < WordInBytes && element * alignment >= WordInBytes && size % WordInBytes == 0 ? size / WordInBytes : 0;
    }

    // All bits of a value in words of 32 bits; what is narrower is extended by zeros.
    private LlvmValue AsWords(LlvmValue value)
    {
        bool isBool = value.Type.Element == DType.Bool;
        int bits = value.Type.Lanes * (isBool ? 8 : value.Type.Element.SizeInBits());
        int words = (bits + 31) / 32;
        KType type = Word with { Lanes = words };
        string memory = ToMemory(value);
        if (bits % 32 != 0)
        {
            string whole = Out.Add(value.Type, $"bitcast {memory} to i{Number(bits)}").Name;
            memory = $"i{Number(32 * words)} {Out.Add(type, $"zext i{Number(bits)} {whole} to i{Number(32 * words)}").Name}";
        }
        return Out.Add(type, $"bitcast {memory} to {LlvmTypes.Register(type)}");
    }

    // The inverse.
    private LlvmValue FromWords(LlvmValue words, KType type)
    {
        int bits = type.Lanes * (type.Element == DType.Bool ? 8 : type.Element.SizeInBits());
        string whole = words.ToString();
        if (bits % 32 != 0)
        {
            string all = Out.Add(type, $"bitcast {whole} to i{Number(32 * words.Type.Lanes)}").Name;
            whole = $"i{Number(bits)} {Out.Add(type, $"trunc i{Number(32 * words.Type.Lanes)} {all} to i{Number(bits)}").Name}";
        }
        return FromMemory(Out.Add(type, $"bitcast {whole} to {LlvmTypes.Memory(type)}"));
    }

    private string Behind(string place, KBuffer buffer, int elements) => elements == 0 ? place : Out.Add(
        KType.Index,
        $"getelementptr {LlvmTypes.MemoryElement(buffer.Element)}, {PointerType(buffer)} {place}, i64 {Number(elements)}").Name;

    private LlvmValue Where(LlvmValue condition, KType type, LlvmValue? otherwise, Func<LlvmValue> load)
    {
        string before = Out.Block;
        string off = otherwise is { } value ? value.Name : "zeroinitializer";
        (string on, string done) = (Out.NewLabel(), Out.NewLabel());
        Out.Branch(condition, on, done);
        Out.Begin(on);
        LlvmValue loaded = load();
        string last = Out.Block;
        Out.Branch(done);
        Out.Begin(done);
        return Out.Add(type, $"phi {LlvmTypes.Register(type)} [ {off}, %{before} ], [ {loaded.Name}, %{last} ]");
    }

    private void Where(LlvmValue condition, Action store)
    {
        (string on, string done) = (Out.NewLabel(), Out.NewLabel());
        Out.Branch(condition, on, done);
        Out.Begin(on);
        store();
        Out.Branch(done);
        Out.Begin(done);
    }
}
