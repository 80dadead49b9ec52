namespace Graphene.Runtime;

/// <summary>Reads what <see cref="FileIndexWriter"/> wrote. The bytes are not trusted.</summary>
internal sealed class FileIndexReader : FieldReader
{
    private const int MaxRank = 64;

    private FileIndexReader(byte[] bytes)
        : base(bytes, "index")
    {
    }

    /// <summary>Reads an index; see <see cref="FileIndex.Problem"/> for what it may still be wrong about.</summary>
    public static FileIndex Read(byte[] bytes)
    {
        var r = new FileIndexReader(bytes);
        var index = new FileIndex
        {
            Name = r.Text(),
            CompilerVersion = r.Text(),
            Variants = r.Variants(),
            States = r.States(),
            Signatures = r.Signatures(),
            Plans = r.Plans(),
        };
        r.RequireEnd();
        return index;
    }

    private FileVariant[] Variants()
    {
        var list = new FileVariant[Count(12)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Variant();
        }
        return list;
    }

    private FileState[] States()
    {
        var list = new FileState[Count(20)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = State();
        }
        return list;
    }

    private FileSignature[] Signatures()
    {
        var list = new FileSignature[Count(12)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Signature();
        }
        return list;
    }

    private StateUse[] Uses()
    {
        var list = new StateUse[Count(12)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Use();
        }
        return list;
    }

    private int[][] Plans()
    {
        int[][] list = new int[Count(4)][];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Plan();
        }
        return list;
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

    private FileSignature Signature() => new(Text(), Text(), Uses());

    private StateUse Use() => new(Int32(), Int32(), Int32());

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
