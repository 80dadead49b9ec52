namespace Graphene.Runtime;

/// <summary>Reads what <see cref="FileIndexWriter"/> wrote. The bytes are not trusted.</summary>
internal sealed class FileIndexReader : FieldReader
{
    private const int MaxRank = 64;

    private FileIndexReader(ReadOnlyMemory<byte> bytes)
        : base(bytes, "index")
    {
    }

    /// <summary>Reads an index; see <see cref="FileIndex.Problem"/> for what it may still be wrong about.</summary>
    public static FileIndex Read(ReadOnlyMemory<byte> bytes)
    {
        var r = new FileIndexReader(bytes);
        var index = new FileIndex
        {
            Name = r.Text(),
            CompilerVersion = r.Text(),
            Variants = r.List(12, r.Variant),
            States = r.List(20, r.State),
            Signatures = r.List(12, r.Signature),
            Plans = r.List(4, r.Plan),
        };
        r.RequireEnd();
        return index;
    }

    private FileVariant Variant() => new(Text(), Text(), Text());

    private FileState State()
    {
        string name = Text();
        var type = (DType)Number((int)DType.C128, "element type");
        long[] extents = new long[Count(8)];
        if (extents.Length > MaxRank)
        {
            throw Bad($"a shape has {extents.Length} dimensions");
        }
        long size = type.SizeInBytes();
        for (int i = 0; i < extents.Length; i++)
        {
            extents[i] = Int64();
            if (extents[i] < 0 || (extents[i] > 0 && size > long.MaxValue / 4 / extents[i]))
            {
                throw Bad($"state '{name}' has no possible shape");
            }
            size *= Math.Max(1, extents[i]);
        }
        return new FileState(name, new TensorType(type, Shape.Of(extents)), Int64());
    }

    private FileSignature Signature() => new(Text(), Text(), List(12, () => new StateUse(Int32(), Int32(), Int32())));

    private int[] Plan()
    {
        int[] objects = new int[Count(4)];
        for (int i = 0; i < objects.Length; i++)
        {
            objects[i] = Int32();
        }
        return objects;
    }
}
