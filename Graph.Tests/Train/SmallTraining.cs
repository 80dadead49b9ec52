using System.Globalization;
using System.Security.Cryptography;
using Graphene.Codegen;
using Graphene.Data;
using Graphene.Runtime;
using Graphene.Samples.Mnist;
using Graphene.Train;

namespace Graphene.Tests.Training;

/// <summary>
/// The training of a small convolutional network with all that keeps state: Adam, dropout, moving
/// statistics, shuffled data.
/// </summary>
internal sealed class SmallTraining : IDisposable
{
    /// <summary>The argument that trains in a process of its own; the numbers of steps and of threads follow.</summary>
    public const string Command = "hash-weights";

    private const int BatchSize = 32;

    private readonly Session _session;
    private readonly DatasetIterator _data;
    private readonly Tensor _images;
    private readonly Tensor _labels;
    private readonly Operation _step;

    public SmallTraining(int threads)
    {
        var graph = new Graph("small");
        _images = graph.Placeholder(DType.U8, [BatchSize, 28, 28, 1], "images");
        _labels = graph.Placeholder(DType.U8, [BatchSize], "labels");
        var network = new Sequential(
            new Rescaling(1 / 255.0), new Conv2D(4, 3, strides: 2, activation: Activations.Relu), new BatchNormalization(),
            new MaxPooling2D(), new Flatten(), new Dropout(0.3), new Dense(16, Activations.Relu), new Dropout(0.2), new Dense(10));
        var context = new LayerContext(graph, training: true, seed: 7);
        Tensor loss = new SparseCategoricalCrossentropy(fromLogits: true).Call(_labels, network.Call(context, _images));
        _step = graph.Group([new Adam(0.01).Minimize(loss, network.TrainableWeights), .. context.Updates]);
        _session = new Session(graph, GraphCompiler.Cpu(), new SessionOptions { MaxThreads = threads });
        MnistData digits = MnistData.Synthetic(200, 1, seed: 3);
        _data = Dataset.FromTensors(digits.TrainImages, digits.TrainLabels)
            .Shuffle(seed: 5).Batch(BatchSize, dropRemainder: true).Repeat().Iterate();
        Saver = new Saver(_session);
        Saver.Track("data", _data.SavePosition, _data.RestorePosition);
    }

    /// <summary>Saves and restores all of it.</summary>
    public Saver Saver { get; }

    /// <summary>Trains on so many batches more.</summary>
    public void Run(int steps)
    {
        for (int i = 0; i < steps && _data.MoveNext(); i++)
        {
            _session.Run([], [(_images, _data.Current[0]), (_labels, _data.Current[1])], [_step]);
        }
    }

    /// <summary>
    /// A digest of all variables: weights, moments, statistics, counters of random numbers; and of the
    /// place in the data.
    /// </summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (NamedTensor tensor in Saver.Snapshot())
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.Value.Type}\n"));
            hash.AppendData(tensor.Value.Bytes.Span);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Trains and prints the digest, in a process that shares nothing with the test's.</summary>
    public static int Print(string steps, string threads)
    {
        using var training = new SmallTraining(int.Parse(threads, CultureInfo.InvariantCulture));
        training.Run(int.Parse(steps, CultureInfo.InvariantCulture));
        Console.Out.WriteLine(training.Hash());
        return 0;
    }

    public void Dispose()
    {
        _data.Dispose();
        _session.Dispose();
    }
}
